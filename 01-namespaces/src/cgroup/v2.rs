//! Cgroup v2: one tree; a cgroup either has processes or gives controllers to
//! its children, never both (the root may). "Linux 4.5 (2016-03)".

use super::limits::{Limits, Setting};
use crate::error::Result;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::path::Path;

/// The controllers that we ask for.
pub(super) const CONTROLLERS: [&str; 5] =
    ["cpu", "memory", "pids", "io", "cpuset"];

/// Plans the files to write.
///
/// Source: Documentation/admin-guide/cgroup-v2.rst
// ANCHOR: settings
pub(super) fn settings(limits: &Limits) -> Vec<Setting> {
    let mut plan = Vec::new();
    if let Some(memory) = limits.memory {
        plan.push(Setting::new("memory", "memory.max", memory));
    }
    if let Some(pids) = limits.pids {
        plan.push(Setting::new("pids", "pids.max", pids));
    }
    if let Some(cpu) = limits.cpu_quota {
        plan.push(Setting::new(
            "cpu",
            "cpu.max",
            format!("{} {}", cpu.quota, cpu.period),
        ));
    }
    if let Some(shares) = limits.cpu_shares {
        plan.push(Setting::new("cpu", "cpu.weight", weight_of(shares)));
    }
    plan
}
// ANCHOR_END: settings

/// Converts v1's shares (2 to 262144) to a weight (1 to 10000), end to end, as
/// the runtimes agreed on.
///
/// Source: runtime-spec: config-linux.md, "CPU"; crun.1, "cgroup v2"
fn weight_of(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9999 / 262_142
}

/// Lets every cgroup above `cgroup` give its controllers down, as far as they
/// allow.
///
/// A failure is not told here: the file of the limit will be missing then, and
/// that error names the controller.
pub(super) fn enable_controllers(mount: &Path, cgroup: &Path) {
    let above: Vec<_> = cgroup
        .ancestors()
        .skip(1)
        .take_while(|dir| dir.starts_with(mount))
        .collect();
    for dir in above.into_iter().rev() {
        let available = super::files::read(&dir.join("cgroup.controllers"))
            .unwrap_or_default();
        for controller in CONTROLLERS
            .iter()
            .filter(|c| available.split_whitespace().any(|a| a == **c))
        {
            // One by one: a single controller that is refused would take the
            // others with it.
            let _ = super::files::write(
                &dir.join("cgroup.subtree_control"),
                &format!("+{controller}"),
            );
        }
    }
}

/// Kills all with one write: nobody can fork away. Before Linux 5.14 (2021-08):
/// one by one, in the caller's loop.
pub(super) fn kill(cgroup: &Path, pids: &[Pid]) -> Result<()> {
    match super::files::write(&cgroup.join("cgroup.kill"), "1") {
        Err(error) if error.errno == Errno::ENOENT => {
            super::v1::kill(None, pids)
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::{CpuQuota, Limit};
    use super::*;

    #[test]
    fn quota_and_period_share_a_file() {
        let cpu_quota = Some(CpuQuota { quota: Limit::Max, period: 100_000 });
        let plan = settings(&Limits { cpu_quota, ..Limits::default() });
        assert_eq!(plan, [Setting::new("cpu", "cpu.max", "max 100000")]);
    }

    #[test]
    fn shares_and_weights_meet_at_both_ends() {
        assert_eq!((weight_of(2), weight_of(262_144)), (1, 10_000));
        assert_eq!((weight_of(0), weight_of(u64::MAX)), (1, 10_000));
    }
}
