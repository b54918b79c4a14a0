//! The namespaces of a container that is there, and the way into them: all at
//! once, by the handle of its init (setns(2) with a pidfd). By /proc/PID/ns one
//! would join them one after another, and perhaps those of another process that
//! has the pid by then.

use crate::container::Container;
use anyhow::{Context, Result};
use namespaces::InCall;
use namespaces::namespace::{Namespace, Namespaces};
use nix::sched::setns;
use nix::unistd::{Gid, Uid, geteuid, setresgid, setresuid};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// What to join, decided by the runtime.
#[derive(Debug)]
pub(crate) struct Joining {
    init: OwnedFd,
    pid: i32,
    /// Joined by the runtime, before it makes the process.
    early: Namespaces,
    /// Joined by the process itself.
    late: Namespaces,
}

impl Joining {
    /// Finds the namespaces of a container's init that are not our own.
    ///
    /// # Errors
    /// "container not running".
    ///
    /// Source: namespaces(7)
    pub(crate) fn plan(container: &Container) -> Result<Self> {
        let init = container.init_handle()?.context("container not running")?;
        let pid = container.init().context("container not running")?.pid;
        let foreign: Namespaces =
            Namespace::all().filter(|kind| is_foreign(pid, *kind)).collect();
        let is_early = |kind: &Namespace| is_early(*kind, foreign);
        let early = foreign.iter().filter(is_early).collect();
        let late = foreign.iter().filter(|kind| !is_early(kind)).collect();
        Ok(Self { init, pid, early, late })
    }

    /// The root directory that init has now, for a look from outside.
    pub(crate) fn root(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.pid))
    }

    /// Joins what takes in only children. Runs in the runtime.
    pub(crate) fn enter_for_children(&self) -> Result<()> {
        self.setns(self.early)
    }

    /// Joins the rest, and becomes the root of the user namespace if there is
    /// one. Runs in the new process. The working directory is the container's
    /// root afterwards.
    ///
    /// # Errors
    /// EPERM: no CAP_SYS_ADMIN over one of them.
    ///
    /// Source: setns(2), with a pidfd since Linux 5.8 (2020-08)
    pub(crate) fn enter(&self) -> Result<()> {
        self.setns(self.late)?;
        let both = [self.early, self.late];
        if both.iter().any(|set| set.contains(Namespace::User)) {
            let (uid, gid) = (Uid::from_raw(0), Gid::from_raw(0));
            setresgid(gid, gid, gid).in_call(|| "setresgid(0, 0, 0)".into())?;
            setresuid(uid, uid, uid).in_call(|| "setresuid(0, 0, 0)".into())?;
        }
        Ok(())
    }

    fn setns(&self, namespaces: Namespaces) -> Result<()> {
        if namespaces.is_empty() {
            return Ok(());
        }
        Ok(setns(&self.init, namespaces.flags())
            .in_call(|| format!("setns(pidfd, {namespaces})"))?)
    }
}

// ANCHOR: early
/// A user namespace is joined early only by an ordinary user, who has no right
/// to the pid namespace without it. Root keeps its own for as long as it can.
fn is_early(kind: Namespace, foreign: Namespaces) -> bool {
    match kind {
        Namespace::Pid | Namespace::Time => true,
        Namespace::User => {
            foreign.contains(Namespace::Pid) && !geteuid().is_root()
        }
        Namespace::Mount
        | Namespace::Uts
        | Namespace::Ipc
        | Namespace::Net
        | Namespace::Cgroup => false,
    }
}
// ANCHOR_END: early

/// Two files of one namespace are links with one text. A kind that the kernel
/// does not know has none.
///
/// Source: namespaces(7), "The /proc/pid/ns/ directory"
fn is_foreign(pid: i32, kind: Namespace) -> bool {
    let link = |process: &str| {
        fs::read_link(format!("/proc/{process}/ns/{}", kind.file())).ok()
    };
    link(&pid.to_string()) != link("self")
}
