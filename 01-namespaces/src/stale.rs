//! Cgroups of an isolate(1) that was killed with SIGKILL: its command dies with
//! it, but nobody is left to remove the empty cgroup. The next isolate does.
//!
//! Not here: cgroups that still have processes. Whose they are now, nobody can
//! tell; they wait for the isolate after those have ended.

use namespaces::cgroup::Cgroup;
use namespaces::process::pidfd_open;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Names the cgroup of the isolate with this pid.
pub(crate) fn name(pid: u32) -> PathBuf {
    PathBuf::from(format!("isolate-{pid}"))
}

/// Removes the cgroups beside `own` whose isolate is dead and that are empty.
pub(crate) fn remove_stale(own: &Cgroup) {
    let dirs = own.paths().into_iter().filter_map(Path::parent);
    let pids: BTreeSet<u32> = dirs.flat_map(pids_in_names).collect();
    for pid in pids.into_iter().filter(|pid| is_dead(*pid)) {
        let Ok(mut cgroup) = Cgroup::open(&name(pid)) else { continue };
        if cgroup.refuse_if_in_use().is_ok() {
            // Another isolate may be doing the same. What stays is no harm.
            let _ = cgroup.remove();
        }
    }
}

fn pids_in_names(dir: &Path) -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        entry.file_name().to_str()?.strip_prefix("isolate-")?.parse().ok()
    })
}

/// Not "cannot be opened": that it is not there has to be certain.
fn is_dead(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    pidfd_open(Pid::from_raw(pid)).is_err_and(|e| e.errno == Errno::ESRCH)
}
