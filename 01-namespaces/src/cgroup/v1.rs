//! Cgroup v1: a tree for each controller (some are mounted together), names and
//! units by each controller's own taste. Linux keeps it for old machines; a
//! machine is "hybrid" if it has v1 controllers beside an almost empty v2 tree.

use super::limits::{Limit, Limits, Setting};
use crate::error::Result;
use crate::process;
use nix::unistd::Pid;
use std::os::fd::AsFd;
use std::path::Path;

/// The controllers in whose trees we make a cgroup.
// Not here: cpuset, which takes no process before its parent's processors and
// memory nodes were copied into it.
pub(super) const CONTROLLERS: [&str; 7] =
    ["memory", "pids", "cpu", "cpuacct", "freezer", "devices", "blkio"];

/// Plans the files to write.
///
/// Source: Documentation/admin-guide/cgroup-v1/{memory,pids}.rst,
/// Documentation/scheduler/sched-bwc.rst
pub(super) fn settings(limits: &Limits) -> Vec<Setting> {
    let mut plan = Vec::new();
    if let Some(memory) = limits.memory {
        plan.push(Setting::new(
            "memory",
            "memory.limit_in_bytes",
            minus_one_for_max(memory),
        ));
    }
    if let Some(pids) = limits.pids {
        plan.push(Setting::new("pids", "pids.max", pids));
    }
    if let Some(cpu) = limits.cpu_quota {
        plan.push(Setting::new("cpu", "cpu.cfs_period_us", cpu.period));
        plan.push(Setting::new(
            "cpu",
            "cpu.cfs_quota_us",
            minus_one_for_max(cpu.quota),
        ));
    }
    if let Some(shares) = limits.cpu_shares {
        plan.push(Setting::new("cpu", "cpu.shares", shares));
    }
    plan
}

fn minus_one_for_max(limit: Limit) -> String {
    match limit {
        Limit::At(number) => number.to_string(),
        Limit::Max => "-1".into(),
    }
}

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

/// Without a freezer the caller's loop alone has to be faster than the forks.
fn set_freezer(freezer: Option<&Path>, state: &str) -> Result<()> {
    freezer.map_or(Ok(()), |dir| {
        super::files::write(&dir.join("freezer.state"), state)
    })
}

#[cfg(test)]
mod tests {
    use super::super::limits::CpuQuota;
    use super::*;

    #[test]
    fn no_limit_is_minus_one_for_memory_and_max_for_pids() {
        let limits = Limits {
            memory: Some(Limit::Max),
            pids: Some(Limit::Max),
            ..Limits::default()
        };
        let values: Vec<_> =
            settings(&limits).into_iter().map(|s| s.value).collect();
        assert_eq!(values, ["-1", "max"]);
    }

    #[test]
    fn the_period_is_written_before_the_quota_that_counts_in_it() {
        let cpu_quota =
            Some(CpuQuota { quota: Limit::At(50_000), period: 200_000 });
        let plan = settings(&Limits { cpu_quota, ..Limits::default() });
        let lines: Vec<_> =
            plan.iter().map(|s| (s.file, s.value.as_str())).collect();
        assert_eq!(
            lines,
            [("cpu.cfs_period_us", "200000"), ("cpu.cfs_quota_us", "50000")]
        );
    }
}
