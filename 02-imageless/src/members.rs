//! Who is in a container: the processes of its cgroup. An ordinary user may have
//! to do without one; then it is those of its pid namespace, which the kernel
//! lists nowhere: one has to ask every process where it is.

use crate::state::{Init, State};
use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::namespace::{Namespace, NamespaceId};
use namespaces::process::{kill, pidfd_open};
use nix::errno::Errno;
use nix::unistd::Pid;
use std::fs;
use std::os::fd::AsFd;

/// Lists the processes of a container, as the host counts them.
///
/// # Errors
/// Neither a cgroup nor a pid namespace is the container's own.
///
/// Source: cgroups(7), "cgroup.procs"; pid_namespaces(7)
pub(crate) fn pids(state: &State) -> Result<Vec<Pid>> {
    match (state.cgroup.pids()?, state.init) {
        (Some(pids), _) => Ok(pids),
        (None, Some(init)) => beside(init),
        (None, None) => Ok(Vec::new()),
    }
}

/// Sends a signal to each of them.
pub(crate) fn signal(state: &State, signal: i32) -> Result<()> {
    for pid in pids(state)? {
        let sent =
            pidfd_open(pid).and_then(|process| kill(process.as_fd(), signal));
        match sent {
            // It has ended since it was listed.
            Err(error) if error.errno == Errno::ESRCH => {}
            sent => sent?,
        }
    }
    Ok(())
}

/// Lists who shares the pid namespace of init. Those of namespaces below it are
/// in the way of nobody: they end with it.
fn beside(init: Init) -> Result<Vec<Pid>> {
    let of = |process: &str| NamespaceId::of(process, Namespace::Pid);
    let theirs = match of(&init.pid.to_string()) {
        Ok(id) => id,
        // Before `start` it lets nobody look, and is alone.
        Err(error) if error.errno == Errno::EACCES && init.is_alive() => {
            return Ok(vec![Pid::from_raw(init.pid)]);
        }
        // It has ended, and all others with it.
        Err(_) => return Ok(Vec::new()),
    };
    if theirs == of("self")? {
        bail!(
            "the container has neither a cgroup nor a pid namespace of its \
             own\nhint: give it a pid namespace in linux.namespaces, or a \
             cgroup: see `systemd-run --user --scope -p Delegate=yes`"
        );
    }
    let proc = fs::read_dir("/proc").in_call(|| "opendir(\"/proc\")".into())?;
    let mut pids = Vec::new();
    for entry in proc {
        let name = entry.context("/proc")?.file_name();
        let Some(name) = name.to_str() else { continue };
        let Ok(pid) = name.parse() else { continue };
        // An error: it has ended, or is somebody else's, so not of ours.
        if of(name).is_ok_and(|id| id == theirs) {
            pids.push(Pid::from_raw(pid));
        }
    }
    pids.sort();
    Ok(pids)
}
