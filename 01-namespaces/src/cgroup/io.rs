//! Disks: how fast a cgroup may read and write one, and its share when the disk
//! is busy. A disk is known by its device number, as in `ls -l /dev/vda`.

use super::Limit;
use std::fmt;

/// Limits the bandwidth of one disk. `None` leaves a number as it is.
///
/// Source: cgroup-v2.rst, "io.max", "Linux 4.5 (2016-03)";
/// cgroup-v1/blkio-controller.rst, "Throttling/Upper limit policy"
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IoLimit {
    /// The whole disk; a partition has no limits of its own.
    pub disk: Disk,
    /// Bytes a second read.
    pub read_bytes: Option<Limit>,
    /// Bytes a second written.
    pub write_bytes: Option<Limit>,
    /// Requests a second for reading.
    pub reads: Option<Limit>,
    /// Requests a second for writing.
    pub writes: Option<Limit>,
}

/// The number of a block device.
///
/// Source: makedev(3)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disk {
    /// Names the driver.
    pub major: u64,
    /// Names the disk among those of the driver.
    pub minor: u64,
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

impl fmt::Display for IoLimit {
    /// Prints the limit as v2 reads it: `8:0 rbps=1048576 wiops=max`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.disk.fmt(f)?;
        let numbers = [
            ("rbps", self.read_bytes),
            ("wbps", self.write_bytes),
            ("riops", self.reads),
            ("wiops", self.writes),
        ];
        numbers
            .into_iter()
            .filter_map(|(key, limit)| Some((key, limit?)))
            .try_for_each(|(key, limit)| write!(f, " {key}={limit}"))
    }
}

impl IoLimit {
    /// Gives one of its numbers as v1 reads it: `8:0 1048576`, 0 for no limit.
    pub(super) fn throttle(&self, limit: Option<Limit>) -> Option<String> {
        let number = match limit? {
            Limit::At(number) => number,
            Limit::Max => 0,
        };
        Some(format!("{} {number}", self.disk))
    }
}

/// Share of a disk: 1 to 10000, normal 100, as v2 counts.
///
/// Source: cgroup-v2.rst, "io.weight"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IoWeight(pub u64);

impl IoWeight {
    /// Makes one of a weight of the runtime-spec, which counts as v1 did: 10 to
    /// 1000. End to end, as the runtimes agreed on.
    ///
    /// Source: runtime-spec: config-linux.md, "Block IO"
    pub fn from_blkio(weight: u64) -> Self {
        Self(1 + (weight.clamp(10, 1000) - 10) * 9999 / 990)
    }

    /// Gives the weight as BFQ counts on v1, 10 to 1000 of its 1 to 1000.
    pub fn blkio(self) -> u64 {
        10 + ((self.0.clamp(1, 10_000) - 1) * 990).div_ceil(9999)
    }
}

/// What a cgroup has read and written on one disk, since it was made.
///
/// Source: cgroup-v2.rst, "io.stat"; cgroup-v1/blkio-controller.rst,
/// `blkio.throttle.io_service_bytes`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IoUsage {
    /// The disk.
    pub disk: Disk,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Requests for reading.
    pub reads: u64,
    /// Requests for writing.
    pub writes: u64,
}

/// Reads io.stat: `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0`.
pub(super) fn parse_v2(text: &str) -> Vec<IoUsage> {
    let line = |line: &str| {
        let (disk, numbers) = line.split_once(' ')?;
        let number = |key| {
            let mut words = numbers.split(' ');
            let word = words.find_map(|w| w.strip_prefix(key))?;
            word.strip_prefix('=')?.parse().ok()
        };
        Some(IoUsage {
            disk: Disk::parse(disk)?,
            read_bytes: number("rbytes")?,
            write_bytes: number("wbytes")?,
            reads: number("rios")?,
            writes: number("wios")?,
        })
    };
    text.lines().filter_map(line).collect()
}

/// Reads the two files of v1, both with lines `8:0 Read 4096`.
pub(super) fn parse_v1(bytes: &str, requests: &str) -> Vec<IoUsage> {
    let number = |text: &str, disk: &str, what| {
        let line = format!("{disk} {what} ");
        let mut lines = text.lines();
        let number = lines.find_map(|l| l.strip_prefix(&line)?.parse().ok());
        number.unwrap_or(0)
    };
    let disks = bytes.lines().filter_map(|line| line.split_once(" Read "));
    let usage = |(disk, _)| {
        Some(IoUsage {
            disk: Disk::parse(disk)?,
            read_bytes: number(bytes, disk, "Read"),
            write_bytes: number(bytes, disk, "Write"),
            reads: number(requests, disk, "Read"),
            writes: number(requests, disk, "Write"),
        })
    };
    disks.filter_map(usage).collect()
}

impl Disk {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once(':')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_reads_as_v2_reads_it() {
        let limit = IoLimit {
            disk: Disk { major: 8, minor: 16 },
            read_bytes: Some(Limit::At(2_097_152)),
            writes: Some(Limit::Max),
            ..IoLimit::default()
        };
        assert_eq!(limit.to_string(), "8:16 rbps=2097152 wiops=max");
        assert_eq!(limit.throttle(limit.writes).unwrap(), "8:16 0");
    }

    #[test]
    fn both_versions_tell_the_same_of_a_disk() {
        let expected = IoUsage {
            disk: Disk { major: 254, minor: 0 },
            read_bytes: 4096,
            write_bytes: 512,
            reads: 2,
            writes: 1,
        };
        let v2 = "254:0 rbytes=4096 wbytes=512 rios=2 wios=1 dbytes=0 dios=0\n";
        // A disk without numbers: seen on v2.
        assert_eq!(parse_v2(&format!("{v2}254:16 \n")), [expected]);
        let v1 = |read, write| {
            let lines = [("Read", read), ("Write", write), ("Total", 0)];
            lines.map(|(what, n)| format!("254:0 {what} {n}\n")).concat()
        };
        assert_eq!(parse_v1(&v1(4096, 512), &v1(2, 1)), [expected]);
    }

    #[test]
    fn a_weight_of_v1_comes_back_as_it_was() {
        for weight in 10..=1000 {
            assert_eq!(IoWeight::from_blkio(weight).blkio(), weight);
        }
    }
}
