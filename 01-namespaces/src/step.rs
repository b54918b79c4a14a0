//! The steps of the child: each is a value that can be printed and done.

mod bind;
mod root;

use namespaces::mounts::{Mount, Propagation};
use namespaces::namespace::{Namespace, unshare};
use namespaces::time::ClockOffsets;
use namespaces::{InCall, Result, SyscallError};
use nix::errno::Errno;
use nix::unistd::{Gid, Uid, setgid, setgroups, sethostname, setuid};
use std::ffi::OsString;

pub(crate) use bind::{BindStep, TmpfsStep};
pub(crate) use root::{Base, NewRoot, RootStep};

/// What the child does to its own surroundings.
#[derive(Debug)]
pub(crate) enum Step {
    /// Makes the cgroup namespace only now: its root is the cgroup that the
    /// process is in, and at clone3(2) that was still the parent's.
    UnshareCgroup,
    /// Makes the time namespace only now: after clone3(2) it is too late to set
    /// the clocks.
    UnshareTime(ClockOffsets),
    /// Sets the host name.
    SetHostname(OsString),
    /// Gives up all supplementary groups.
    DropGroups,
    /// Becomes a group of the namespace.
    Setgid(u32),
    /// Becomes a user of the namespace; with the last id of root goes its
    /// power.
    Setuid(u32),
    /// Says what all mounts share with the host.
    Propagation(Propagation),
    /// Mounts on the tree as it is.
    Mount(Mount),
    /// Furnishes a directory and makes it the root.
    Root(NewRoot),
}

impl Step {
    /// Does it.
    pub(crate) fn run(&self) -> Result<()> {
        match self {
            Self::UnshareCgroup => {
                unshare([Namespace::Cgroup].into_iter().collect())
            }
            Self::UnshareTime(offsets) => offsets.unshare(),
            Self::SetHostname(name) => {
                let call = || format!("sethostname({name:?})");
                sethostname(name).in_call(call).map_err(explain_hostname)
            }
            Self::DropGroups => {
                setgroups(&[]).in_call(|| "setgroups([])".into())
            }
            Self::Setgid(gid) => {
                setgid(Gid::from_raw(*gid)).in_call(|| format!("setgid({gid})"))
            }
            Self::Setuid(uid) => {
                setuid(Uid::from_raw(*uid)).in_call(|| format!("setuid({uid})"))
            }
            Self::Propagation(how) => how.set_on_all(),
            Self::Mount(mount) => mount.mount(),
            Self::Root(root) => root.run(),
        }
    }

    /// Lists what it binds from the host.
    pub(crate) fn binds(&self) -> Vec<&BindStep> {
        match self {
            Self::Root(root) => root.binds(),
            _ => Vec::new(),
        }
    }

    /// Lists the system calls that it will make.
    pub(crate) fn calls(&self) -> Vec<String> {
        match self {
            Self::UnshareCgroup => vec!["unshare(CLONE_NEWCGROUP)".into()],
            Self::UnshareTime(offsets) => offsets.calls(),
            Self::SetHostname(name) => vec![format!("sethostname({name:?})")],
            Self::DropGroups => vec!["setgroups([])".into()],
            Self::Setgid(gid) => vec![format!("setgid({gid})")],
            Self::Setuid(uid) => vec![format!("setuid({uid})")],
            Self::Propagation(how) => {
                let flag = how.name();
                vec![format!("mount(NULL, \"/\", NULL, MS_REC|{flag}, NULL)")]
            }
            Self::Mount(mount) => vec![mount.to_string()],
            Self::Root(root) => root.calls(),
        }
    }
}

/// Source: sethostname(2), "EINVAL"; utsname.h, `__NEW_UTS_LEN`
fn explain_hostname(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EINVAL => error.hint("a host name has at most 64 bytes"),
        _ => error,
    }
}
