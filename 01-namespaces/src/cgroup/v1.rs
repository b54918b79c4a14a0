//! Cgroup v1: a tree for each controller (some are mounted together), names and
//! units by each controller's own taste. Linux keeps it for old machines; a
//! machine is "hybrid" if it has v1 controllers beside an almost empty v2 tree.

use super::files;
use super::io::{Disk, IoLimit, IoWeight};
use super::limits::{Limit, Limits};
use super::set::{Absent, Row};
use super::v2::text;
use super::weight::CpuWeight;
use crate::error::Result;
use crate::process;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::os::fd::AsFd;
use std::path::Path;

/// The controllers in whose trees we make a cgroup.
pub(super) const CONTROLLERS: [&str; 12] = [
    "memory", "pids", "cpu", "cpuacct", "cpuset", "freezer", "devices",
    "blkio", "hugetlb", "net_cls", "net_prio", "rdma",
];

const BYTES: &str = "bytes, or -1";
const DISK: &str = "a whole disk and a number a second: 8:0 1048576";
const WEIGHT: &str = "a whole disk with the scheduler BFQ, and 1 to 1000";
const RUNTIME: &str = "0 us to the period, of what the cgroup above has left";
const LIST: &str = "a list such as 0-3,7";

/// The files to write, in this order.
///
/// Source: Documentation/admin-guide/cgroup-v1/*.rst,
/// Documentation/scheduler/sched-bwc.rst, sched-rt-group.rst
pub(super) const ROWS: &[Row] = &[
    Row::new("memory.limit_in_bytes", BYTES, |l| number(l.memory)),
    Row::new("memory.memsw.limit_in_bytes", MEMSW, |l| text(memsw(l))),
    Row::new("memory.soft_limit_in_bytes", BYTES, |l| number(l.memory_low)),
    Row::new("memory.swappiness", "0 to 200", |l| text(l.swappiness)),
    Row::new("memory.oom_control", "0 to kill, or 1", |l| {
        text(l.oom_kill.map(|kills| u8::from(!kills)))
    }),
    Row::new("pids.max", "0 to 4194304, or max", |l| text(l.pids)),
    Row::new("cpu.cfs_period_us", "1000 to 1000000", |l| {
        text(l.cpu_quota.map(|cpu| cpu.period))
    }),
    Row::new("cpu.cfs_quota_us", "1000 us or more, or -1", |l| {
        number(l.cpu_quota.map(|cpu| cpu.quota))
    }),
    Row::new("cpu.cfs_burst_us", "0 to the quota, in us", |l| {
        text(l.cpu_burst)
    }),
    Row::new("cpu.shares", "2 to 262144, if it is not idle", |l| {
        text(l.weight_unless_idle().map(CpuWeight::shares))
    }),
    Row::new("cpu.rt_period_us", "1 us or more", |l| text(l.rt_period)),
    Row::new("cpu.rt_runtime_us", RUNTIME, |l| text(l.rt_runtime)),
    Row::new("cpu.idle", "0 or 1", |l| text(l.cpu_idle.map(u8::from))),
    Row::new("cpuset.cpus", LIST, |l| text(l.cpus.as_ref())),
    Row::new("cpuset.mems", LIST, |l| text(l.mems.as_ref())),
    Row::new("blkio.bfq.weight", "1 to 1000", |l| {
        text(l.io_weight.map(IoWeight::blkio))
    }),
    Row::new("blkio.bfq.weight_device", WEIGHT, |l| {
        let line = |(disk, weight): &(Disk, IoWeight)| {
            format!("{disk} {}", weight.blkio())
        };
        l.io_weights.iter().map(line).collect()
    }),
    Row::new("blkio.throttle.read_bps_device", DISK, |l| {
        throttle(l, |io| io.read_bytes)
    }),
    Row::new("blkio.throttle.write_bps_device", DISK, |l| {
        throttle(l, |io| io.write_bytes)
    }),
    Row::new("blkio.throttle.read_iops_device", DISK, |l| {
        throttle(l, |io| io.reads)
    }),
    Row::new("blkio.throttle.write_iops_device", DISK, |l| {
        throttle(l, |io| io.writes)
    }),
    Row::new("net_cls.classid", "0 to 4294967295", |l| text(l.net_class)),
    Row::new("net_prio.ifpriomap", "a device and a number: eth0 5", |l| {
        l.net_priorities.iter().map(ToString::to_string).collect()
    }),
    Row::new("rdma.max", RDMA, |l| {
        l.rdma.iter().map(ToString::to_string).collect()
    }),
];

pub(super) const RDMA: &str = "a device of /sys/class/infiniband, hca_handle=N \
                               and hca_object=N";

const MEMSW: &str = "memory.limit_in_bytes or more: it counts memory and swap";

pub(super) const ABSENT: &[Absent] = &[
    Absent {
        asked: |l| l.memory_high.map(|_| "memory.high".into()),
        instead: "cgroup v1 only kills: set the memory limit itself",
    },
    Absent {
        asked: |l| match memsw(l) {
            None => l.swap.map(|_| "memory.swap.max".into()),
            Some(_) => None,
        },
        instead: "cgroup v1 limits memory and swap together: set the memory \
                  limit too",
    },
    Absent {
        asked: |l| l.unified.keys().next().cloned(),
        instead: "a file of cgroup v2: this machine has its controllers on v1",
    },
];

fn number(limit: Option<Limit>) -> Vec<String> {
    text(limit.map(minus_one_for_max))
}

pub(super) fn minus_one_for_max(limit: Limit) -> String {
    match limit {
        Limit::At(number) => number.to_string(),
        Limit::Max => "-1".into(),
    }
}

/// Adds memory and swap. `None`: no limit of swap is asked for, or none that
/// could be said as a sum.
fn memsw(limits: &Limits) -> Option<String> {
    match (limits.memory, limits.swap?) {
        (_, Limit::Max) => Some("-1".into()),
        (Some(Limit::At(memory)), Limit::At(swap)) => {
            Some(memory.saturating_add(swap).to_string())
        }
        (Some(Limit::Max) | None, Limit::At(_)) => None,
    }
}

fn throttle(
    limits: &Limits,
    number: fn(&IoLimit) -> Option<Limit>,
) -> Vec<String> {
    let disks = limits.io.iter();
    disks.filter_map(|disk| disk.throttle(number(disk))).collect()
}

/// Fills the processors and memory nodes of a cgroup, and of those above it
/// that have none, from the one above each: a new cpuset is empty, and takes no
/// process.
///
/// Source: cpuset(7), "cpuset.mems"
pub(super) fn inherit_cpuset(dir: &Path) -> Result<()> {
    let Some(above) = dir.parent() else { return Ok(()) };
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if !files::read(&dir.join(file))?.trim().is_empty() {
            continue;
        }
        let mut value = files::read(&above.join(file))?;
        if value.trim().is_empty() {
            inherit_cpuset(above)?;
            value = files::read(&above.join(file))?;
        }
        files::write(&dir.join(file), value.trim())?;
    }
    Ok(())
}

// ANCHOR: kill
/// Kills these processes while the freezer holds the cgroup still, so that none
/// of them forks away from us. A frozen process dies when it thaws.
pub(super) fn kill(freezer: Option<&Path>, pids: &[Pid]) -> Result<()> {
    set_freezer(freezer, "FROZEN")?;
    for pid in pids {
        // No such process: it has ended by itself.
        let Ok(pidfd) = process::pidfd_open(*pid) else { continue };
        let _ = process::kill(pidfd.as_fd(), libc::SIGKILL);
    }
    set_freezer(freezer, "THAWED")
}
// ANCHOR_END: kill

/// Without a freezer, or if its directory is removed already, the caller's loop
/// alone has to be faster than the forks.
fn set_freezer(freezer: Option<&Path>, state: &str) -> Result<()> {
    let Some(dir) = freezer else { return Ok(()) };
    match files::write(&dir.join("freezer.state"), state) {
        Err(error) if error.errno == Errno::ENOENT => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_is_written_as_a_sum_with_memory() {
        let sum =
            |memory, swap| memsw(&Limits { memory, swap, ..Limits::default() });
        let at = |number| Some(Limit::At(number));
        assert_eq!(sum(at(100), at(20)).as_deref(), Some("120"));
        assert_eq!(sum(None, Some(Limit::Max)).as_deref(), Some("-1"));
        // No sum of "what is set already" and something.
        assert_eq!(sum(None, at(20)), None);
        assert_eq!(sum(at(100), None), None);
    }

    #[test]
    fn no_limit_is_minus_one() {
        assert_eq!(number(Some(Limit::Max)), ["-1"]);
        assert_eq!(number(Some(Limit::At(5))), ["5"]);
        assert!(number(None).is_empty());
    }
}
