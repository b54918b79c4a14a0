//! Limits, in the units that people use; the tables of `v1` and `v2` turn them
//! into the files and numbers of the kernel.

use super::io::{Disk, IoLimit, IoWeight};
use super::list::NumberList;
use super::weight::CpuWeight;
use std::collections::BTreeMap;
use std::fmt;

/// Says what a cgroup may use. What is `None` or empty stays as it is.
///
/// Source: cgroup-v2.rst, "Controllers"; cgroup-v1/*.rst
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    /// Memory with page cache, in bytes: above it, the kernel kills.
    pub memory: Option<Limit>,
    /// Memory in bytes above which processes are slowed down and have to give
    /// memory back; nobody is killed. Only v2.
    pub memory_high: Option<Limit>,
    /// Memory in bytes that is left to the cgroup when memory gets short. v1's
    /// soft limit is the nearest there: what is *above* it is taken first.
    pub memory_low: Option<Limit>,
    /// Swap in bytes, memory not counted. v1 limits memory and swap together:
    /// there `memory` has to be given too.
    pub swap: Option<Limit>,
    /// How readily memory is swapped out, 0 to 200. Only v1.
    pub swappiness: Option<u64>,
    /// Whether the kernel kills when memory is short; if not, processes wait
    /// until there is some. Only v1 can be told not to.
    pub oom_kill: Option<bool>,
    /// Processes and threads.
    pub pids: Option<Limit>,
    /// Processor time.
    pub cpu_quota: Option<CpuQuota>,
    /// Microseconds that may be saved up in idle periods and used at once.
    pub cpu_burst: Option<u64>,
    /// Share of the processor when there is not enough of it.
    pub cpu_weight: Option<CpuWeight>,
    /// Whether it runs only when nobody else wants to. It then has no weight.
    pub cpu_idle: Option<bool>,
    /// Microseconds in each `rt_period` for processes of a real-time policy;
    /// without it such a process is refused. Only v1.
    pub rt_runtime: Option<u64>,
    /// Microseconds. Only v1.
    pub rt_period: Option<u64>,
    /// Processors to run on.
    pub cpus: Option<NumberList>,
    /// Memory nodes to allocate on.
    pub mems: Option<NumberList>,
    /// Share of a disk when there is not enough of it.
    pub io_weight: Option<IoWeight>,
    /// The same for single disks.
    pub io_weights: Vec<(Disk, IoWeight)>,
    /// Bandwidth of single disks.
    pub io: Vec<IoLimit>,
    /// Huge pages of single sizes.
    pub hugetlb: Vec<HugetlbLimit>,
    /// The class that packets are marked with, for tc(8). Only v1.
    pub net_class: Option<u32>,
    /// The priority of what is sent over single devices. Only v1.
    pub net_priorities: Vec<NetPriority>,
    /// What may be used of single RDMA devices.
    pub rdma: Vec<RdmaLimit>,
    /// Files of v2 by name, written as they are. They have the last word.
    pub unified: BTreeMap<String, String>,
}

/// Says how much: a number, or as much as there is.
///
/// Source: cgroup-v2.rst, "Conventions"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Not more than this.
    At(u64),
    /// No limit here; those of the cgroups above hold.
    Max,
}

impl Limit {
    /// Understands what the kernel says; v1 says "no limit" by a number near
    /// the largest one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        const NEAR_THE_LARGEST: u64 = 1 << 62;
        match text.trim() {
            "max" | "-1" => Some(Self::Max),
            number => match number.parse().ok()? {
                NEAR_THE_LARGEST.. => Some(Self::Max),
                number => Some(Self::At(number)),
            },
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(number) => number.fmt(f),
            Self::Max => f.write_str("max"),
        }
    }
}

/// Limits processor time: `quota` in every `period`, summed over all
/// processors.
///
/// Source: cgroup-v2.rst, "cpu.max"; sched-bwc.rst, "Management"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuQuota {
    /// Microseconds of processor time, 1000 at least.
    pub quota: Limit,
    /// Microseconds; the kernel takes 1000 to 1000000, and starts with 100000.
    pub period: u64,
}

/// Limits the memory in huge pages of one size.
///
/// Source: cgroup-v2.rst, "HugeTLB", "Linux 5.6 (2020-03)"
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HugetlbLimit {
    /// As the kernel names it: `2MB`, `1GB`.
    pub page_size: String,
    /// Bytes.
    pub limit: Limit,
}

/// The priority of packets that leave by one network device.
///
/// Source: cgroup-v1/net_prio.rst
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetPriority {
    /// As the network namespace of who sets it names it.
    pub device: String,
    /// Higher goes first.
    pub priority: u32,
}

impl fmt::Display for NetPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.device, self.priority)
    }
}

/// Limits the use of one RDMA device. What is `None` stays as it is.
///
/// Source: cgroup-v2.rst, "RDMA"; cgroup-v1/rdma.rst
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdmaLimit {
    /// As the kernel names it: `mlx5_1`.
    pub device: String,
    /// Times that it may be opened.
    pub handles: Option<u32>,
    /// Objects of it: queues, memory regions.
    pub objects: Option<u32>,
}

impl fmt::Display for RdmaLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.device)?;
        let named =
            [("hca_handle", self.handles), ("hca_object", self.objects)];
        for (name, limit) in named {
            limit.map_or(Ok(()), |limit| write!(f, " {name}={limit}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rdma_line_names_what_is_limited_only() {
        let line = |handles, objects| {
            RdmaLimit { device: "mlx5_1".into(), handles, objects }.to_string()
        };
        assert_eq!(line(Some(3), None), "mlx5_1 hca_handle=3");
        let both = "mlx5_1 hca_handle=3 hca_object=9";
        assert_eq!(line(Some(3), Some(9)), both);
    }

    #[test]
    fn no_limit_is_a_word_on_v2_and_a_huge_number_on_v1() {
        for text in ["max\n", "9223372036854771712\n", "-1\n"] {
            assert_eq!(Limit::parse(text), Some(Limit::Max), "{text:?}");
        }
        assert_eq!(Limit::parse("4096\n"), Some(Limit::At(4096)));
        assert_eq!(Limit::parse("many"), None);
    }
}
