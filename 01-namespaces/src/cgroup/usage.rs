//! What a cgroup uses, and what its limits have done: numbers that the kernel
//! counts for all of its processes together. Where each stands is a table.

mod in_force;
mod places;

use super::io::{IoUsage, parse_v1, parse_v2};
use super::limits::Limit;
use super::{Cgroup, Version, files};
use crate::error::Result;
use places::*;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a cgroup uses. `None`: the controller is not there.
///
/// Source: cgroup-v2.rst, "Controllers"
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// Memory, in bytes.
    pub memory: Option<MemoryUsage>,
    /// Processor time.
    pub cpu: Option<CpuUsage>,
    /// Processes and threads.
    pub pids: Option<PidsUsage>,
    /// Each disk that was used.
    pub io: Vec<IoUsage>,
    /// Each size of huge pages that the machine has.
    pub hugetlb: Vec<HugetlbUsage>,
}

/// Memory of a cgroup, in bytes.
///
/// Source: cgroup-v2.rst, "memory.stat"; cgroup-v1/memory.rst, "stat file"
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryUsage {
    /// All that is charged now: anonymous, page cache, kernel.
    pub current: u64,
    /// The most that ever was. `None`: v2 before Linux 5.19 (2022-07).
    pub peak: Option<u64>,
    /// The limit that kills.
    pub limit: Limit,
    /// Memory of processes that is in no file: heaps and stacks.
    pub anon: u64,
    /// Page cache.
    pub file: u64,
    /// Swapped out. `None`: the kernel does not count swap.
    pub swap: Option<u64>,
    /// How often an allocation met the limit, and had to wait for other memory
    /// to be given back.
    pub limit_hits: u64,
    /// Processes that the kernel killed because not enough was.
    pub oom_kills: u64,
    /// All that memory.stat says, by the kernel's names, which differ between
    /// the versions.
    pub stat: BTreeMap<String, u64>,
}

/// Processor time of a cgroup.
///
/// Source: cgroup-v2.rst, "cpu.stat"; cgroup-v1/cpuacct.rst
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuUsage {
    /// Used in all, since it was made.
    pub total: Duration,
    /// Of it, in programs.
    pub user: Duration,
    /// Of it, in the kernel.
    pub system: Duration,
    /// Periods of the quota that have passed with something to run.
    pub periods: u64,
    /// Of them, those in which the quota ran out.
    pub throttled_periods: u64,
    /// Time for which processes were held back, summed over processors.
    pub throttled: Duration,
}

/// Processes and threads of a cgroup.
///
/// Source: cgroup-v2.rst, "PID"; cgroup-v1/pids.rst
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PidsUsage {
    /// There now.
    pub current: u64,
    /// The limit.
    pub limit: Limit,
    /// How often the limit refused a fork.
    pub limit_hits: u64,
}

/// Huge pages of one size, in bytes.
///
/// Source: cgroup-v2.rst, "HugeTLB"; cgroup-v1/hugetlb.rst
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HugetlbUsage {
    /// As the kernel names it: `2MB`.
    pub page_size: String,
    /// In use now.
    pub current: u64,
    /// How often the limit refused one.
    pub limit_hits: u64,
}

impl Cgroup {
    /// Reads what it uses and has used.
    ///
    /// # Errors
    /// ENODEV: it is being removed. A file that is not there is no error.
    ///
    /// Source: cgroup-v2.rst, "Controllers"; cgroup-v1/{memory,cpuacct}.rst
    pub fn usage(&self) -> Result<Usage> {
        Ok(Usage {
            memory: self.memory_usage()?,
            cpu: self.cpu_usage()?,
            pids: self.pids_usage()?,
            io: self.io_usage()?,
            hugetlb: self.hugetlb_usage()?,
        })
    }

    /// Reads how many processes the kernel has killed because the memory limit
    /// was reached.
    ///
    /// # Errors
    /// ENODEV: it is being removed.
    ///
    /// Source: cgroup-v2.rst, "memory.events", "Linux 4.13 (2017-09)"
    pub fn oom_kills(&self) -> Result<u64> {
        Ok(self.number(OOM_KILLS)?.unwrap_or(0))
    }

    fn memory_usage(&self) -> Result<Option<MemoryUsage>> {
        let Some(current) = self.number(MEMORY)? else { return Ok(None) };
        let stat = self.text("memory.stat")?.unwrap_or_default();
        Ok(Some(MemoryUsage {
            current,
            peak: self.number(MEMORY_PEAK)?,
            limit: self.limit(MEMORY_LIMIT)?,
            anon: self.number(ANON)?.unwrap_or(0),
            file: self.number(FILE)?.unwrap_or(0),
            swap: self.number(SWAP)?,
            limit_hits: self.number(MEMORY_HITS)?.unwrap_or(0),
            oom_kills: self.oom_kills()?,
            stat: stat.lines().filter_map(pair).collect(),
        }))
    }

    fn cpu_usage(&self) -> Result<Option<CpuUsage>> {
        let Some(total) = self.time(CPU)? else { return Ok(None) };
        Ok(Some(CpuUsage {
            total,
            user: self.time(CPU_USER)?.unwrap_or_default(),
            system: self.time(CPU_SYSTEM)?.unwrap_or_default(),
            periods: self.number(PERIODS)?.unwrap_or(0),
            throttled_periods: self.number(THROTTLED_PERIODS)?.unwrap_or(0),
            throttled: self.time(THROTTLED)?.unwrap_or_default(),
        }))
    }

    fn pids_usage(&self) -> Result<Option<PidsUsage>> {
        let Some(current) = self.number(PIDS)? else { return Ok(None) };
        let limit = self.limit(PIDS_LIMIT)?;
        let limit_hits = self.number(PIDS_HITS)?.unwrap_or(0);
        Ok(Some(PidsUsage { current, limit, limit_hits }))
    }

    fn io_usage(&self) -> Result<Vec<IoUsage>> {
        match self.version {
            Version::V1 => {
                let bytes =
                    self.text("blkio.throttle.io_service_bytes_recursive")?;
                let requests =
                    self.text("blkio.throttle.io_serviced_recursive")?;
                Ok(parse_v1(
                    &bytes.unwrap_or_default(),
                    &requests.unwrap_or_default(),
                ))
            }
            Version::V2 => {
                Ok(parse_v2(&self.text("io.stat")?.unwrap_or_default()))
            }
        }
    }

    fn hugetlb_usage(&self) -> Result<Vec<HugetlbUsage>> {
        let Some(dir) = self.path_of("hugetlb") else { return Ok(Vec::new()) };
        let (current, hits) = match self.version {
            Version::V1 => (".usage_in_bytes", (".failcnt", "")),
            Version::V2 => (".current", (".events", "max")),
        };
        let mut usage = Vec::new();
        for page_size in files::page_sizes(dir, current) {
            let number = |(file, key)| {
                let file = format!("hugetlb.{page_size}{file}");
                self.number_at((&file, key))
            };
            let (current, limit_hits) = (number((current, ""))?, number(hits)?);
            usage.push(HugetlbUsage {
                current: current.unwrap_or(0),
                limit_hits: limit_hits.unwrap_or(0),
                page_size,
            });
        }
        Ok(usage)
    }
}

/// Reads a line `KEY NUMBER`.
fn pair(line: &str) -> Option<(String, u64)> {
    let (key, number) = line.split_once(' ')?;
    Some((key.into(), number.parse().ok()?))
}
