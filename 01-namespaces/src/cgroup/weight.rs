//! Weights: how a scarce processor is divided. v1 and v2 count differently, and
//! a configuration may be written for either.

use super::Limits;

/// Says how large a share is when there is not enough for all.
///
/// Source: cgroup-v2.rst, "cpu.weight"; runtime-spec: config-linux.md, "CPU"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CpuWeight {
    /// As v2 counts: 1 to 10000, normal 100.
    Weight(u64),
    /// As v1 and the runtime-spec count: 2 to 262144, normal 1024.
    Shares(u64),
}

/// Both scales are logarithmic, and a parabola goes through the three points
/// that matter: least, normal and most (2, 1024, 262144 shares; 1, 100, 10000).
/// With x = log2(shares): log10(weight) = (x² + 125x) / 612 - 7/34.
///
/// Source: runc 1.3.2 and crun 1.23 convert so (2025; runc issue 4896, crun
/// pull request 1767); before them a straight line did, which made 39 of the
/// normal 1024.
impl CpuWeight {
    /// Gives the weight for v2.
    pub fn weight(self) -> u64 {
        match self {
            Self::Weight(weight) => weight,
            Self::Shares(shares) => {
                let x = (shares.clamp(2, 262_144) as f64).log2();
                let exponent = (x * x + 125.0 * x) / 612.0 - 7.0 / 34.0;
                // 100 comes out as 100.00000000000004.
                (10_f64.powf(exponent) - 1e-9).ceil() as u64
            }
        }
    }

    /// Gives the shares for v1.
    pub fn shares(self) -> u64 {
        match self {
            Self::Shares(shares) => shares,
            Self::Weight(weight) => {
                let y = (weight.clamp(1, 10_000) as f64).log10();
                let root = (125.0 * 125.0 + 4.0 * (612.0 * y + 126.0)).sqrt();
                ((root - 125.0) / 2.0).exp2().round() as u64
            }
        }
    }
}

impl Limits {
    /// The weight that is to be written. The kernel refuses one for a group that
    /// is idle; of a field and a file that say so, the file has the last word.
    pub(super) fn weight_unless_idle(&self) -> Option<CpuWeight> {
        let by_file = self.unified.get("cpu.idle");
        let by_file = by_file.map(|idle| idle.trim() == "1");
        let idles = by_file.or(self.cpu_idle) == Some(true);
        self.cpu_weight.filter(|_| !idles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_normal_and_most_mean_the_same_on_both() {
        for (shares, weight) in [(2, 1), (1024, 100), (262_144, 10_000)] {
            assert_eq!(CpuWeight::Shares(shares).weight(), weight);
            assert_eq!(CpuWeight::Weight(weight).shares(), shares);
        }
    }

    #[test]
    fn shares_beyond_the_ends_are_the_ends() {
        assert_eq!(CpuWeight::Shares(0).weight(), 1);
        assert_eq!(CpuWeight::Shares(u64::MAX).weight(), 10_000);
    }

    #[test]
    fn a_weight_comes_back_from_shares_nearly_as_it_was() {
        for weight in [1_u64, 10, 50, 100, 500, 10_000] {
            let shares = CpuWeight::Weight(weight).shares();
            let back = CpuWeight::Shares(shares).weight();
            assert!(back.abs_diff(weight) <= 1 + weight / 50, "{weight}");
        }
    }
}
