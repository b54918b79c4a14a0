//! Cgroups of an isolate(1) that was killed with SIGKILL: its command dies with
//! it, but nobody is left to remove the empty cgroup. The next isolate does.
//!
//! Not here: cgroups that still have processes. Whose they are now, nobody can
//! tell; they wait for the isolate after those have ended. And those of other
//! pid namespaces: their numbers mean other processes.

use namespaces::Result;
use namespaces::cgroup::Cgroup;
use namespaces::namespace::{Namespace, NamespaceId};
use namespaces::process::pidfd_open;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The pid namespace that the machine starts with.
///
/// Source: proc_ns.h, `PROC_PID_INIT_INO`, "Linux 3.8 (2013-02)"
const FIRST: u64 = 0xEFFF_FFFC;

/// Names the cgroup of this isolate. A pid is a name in one pid namespace only:
/// in another than the first, that one's number stands behind it.
pub(crate) fn name() -> Result<PathBuf> {
    Ok(named(std::process::id(), &suffix()?))
}

fn named(pid: u32, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{PREFIX}{pid}{suffix}"))
}

const PREFIX: &str = "isolate-";

fn suffix() -> Result<String> {
    Ok(match NamespaceId::of("self", Namespace::Pid)?.inode {
        FIRST => String::new(),
        other => format!("-{other}"),
    })
}

/// Removes the cgroups beside `own` whose isolate is dead and that are empty.
pub(crate) fn remove_stale(own: &Cgroup) -> Result<()> {
    let suffix = suffix()?;
    let dirs = own.paths().into_iter().filter_map(Path::parent);
    let pids = dirs.flat_map(|dir| pids_in_names(dir, &suffix));
    let pids: BTreeSet<u32> = pids.collect();
    for pid in pids.into_iter().filter(|pid| is_dead(*pid)) {
        let name = named(pid, &suffix);
        let Ok(mut cgroup) = Cgroup::open(&name) else { continue };
        if cgroup.refuse_if_in_use().is_ok() {
            // Another isolate may be doing the same. What stays is no harm.
            let _ = cgroup.remove();
        }
    }
    Ok(())
}

fn pids_in_names(dir: &Path, suffix: &str) -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(move |entry| pid_in(entry.file_name().to_str()?, suffix))
}

/// Finds the pid in the name of a cgroup of our pid namespace.
fn pid_in(name: &str, suffix: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.strip_suffix(suffix)?.parse().ok()
}

/// Not "cannot be opened": that it is not there has to be certain.
fn is_dead(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    pidfd_open(Pid::from_raw(pid)).is_err_and(|e| e.errno == Errno::ESRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_another_pid_namespace_is_nobody_s_here() {
        for suffix in ["", "-4026532170"] {
            let name = named(7, suffix);
            assert_eq!(pid_in(name.to_str().unwrap(), suffix), Some(7));
        }
        assert_eq!(pid_in("isolate-7-4026532170", ""), None);
        assert_eq!(pid_in("isolate-7", "-4026532170"), None);
        assert_eq!(pid_in("isolate-7-4026532171", "-4026532170"), None);
    }
}
