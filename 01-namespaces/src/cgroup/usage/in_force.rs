//! Which limits are in force: what [`Cgroup::set`] wrote, read back, or what
//! stood there before.

use super::places::*;
use crate::cgroup::limits::{CpuQuota, Limit, Limits};
use crate::cgroup::weight::CpuWeight;
use crate::cgroup::{Cgroup, NumberList, Version};
use crate::error::Result;

const CPUS: Places =
    (("cpuset.effective_cpus", ""), ("cpuset.cpus.effective", ""));
const MEMS: Places =
    (("cpuset.effective_mems", ""), ("cpuset.mems.effective", ""));

impl Cgroup {
    /// Reads the limits of memory, processes and processors. `None`: the
    /// controller is not there. The cgroups above have limits of their own,
    /// which hold too.
    ///
    /// # Errors
    /// ENODEV: it is being removed.
    ///
    /// Source: cgroup-v2.rst, "Controllers"; cgroup-v1/memory.rst;
    /// sched-bwc.rst
    pub fn limits(&self) -> Result<Limits> {
        Ok(Limits {
            memory: self.limit_if_there(MEMORY_LIMIT)?,
            memory_high: self.limit_if_there(MEMORY_HIGH)?,
            memory_low: self.limit_if_there(MEMORY_LOW)?,
            swap: self.swap_limit()?,
            pids: self.limit_if_there(PIDS_LIMIT)?,
            cpu_quota: self.cpu_quota()?,
            cpu_weight: self.cpu_weight()?,
            cpus: self.list(CPUS)?,
            mems: self.list(MEMS)?,
            ..Limits::default()
        })
    }

    /// v1 says memory and swap in one sum.
    fn swap_limit(&self) -> Result<Option<Limit>> {
        let there = self.limit_if_there(SWAP_LIMIT)?;
        Ok(match (self.version, there, self.limit_if_there(MEMORY_LIMIT)?) {
            (Version::V1, Some(Limit::At(sum)), Some(Limit::At(memory))) => {
                Some(Limit::At(sum.saturating_sub(memory)))
            }
            (Version::V1 | Version::V2, there, _) => there,
        })
    }

    /// v2: `QUOTA PERIOD` in one file.
    fn cpu_quota(&self) -> Result<Option<CpuQuota>> {
        let text = match self.version {
            Version::V2 => self.text("cpu.max")?,
            Version::V1 => self
                .text("cpu.cfs_quota_us")?
                .zip(self.text("cpu.cfs_period_us")?)
                .map(|(quota, period)| format!("{} {period}", quota.trim())),
        };
        Ok(text.as_deref().and_then(quota))
    }

    fn cpu_weight(&self) -> Result<Option<CpuWeight>> {
        let (places, kind): (_, fn(u64) -> CpuWeight) = match self.version {
            Version::V1 => (("cpu.shares", ""), CpuWeight::Shares),
            Version::V2 => (("cpu.weight", ""), CpuWeight::Weight),
        };
        Ok(self.number_at(places)?.map(kind))
    }

    fn list(&self, places: Places) -> Result<Option<NumberList>> {
        let (file, _) = self.version.pick(places);
        Ok(self.text(file)?.and_then(|text| text.parse().ok()))
    }
}

fn quota(text: &str) -> Option<CpuQuota> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period) = (Limit::parse(quota)?, period.trim().parse().ok()?);
    Some(CpuQuota { quota, period })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_read_as_both_versions_write_it() {
        let half = CpuQuota { quota: Limit::At(50_000), period: 100_000 };
        assert_eq!(quota("50000 100000\n"), Some(half));
        for none in ["max 100000\n", "-1 100000\n"] {
            assert_eq!(quota(none).unwrap().quota, Limit::Max, "{none:?}");
        }
        assert_eq!(quota("50000"), None);
    }
}
