//! The way of a new process into a cgroup: on v2 it is born there, on v1 it
//! walks in by itself. To move it from outside would take milliseconds: the
//! kernel first waits until no process of the machine is about to fork or to
//! end.

use super::{Cgroup, Version, files};
use crate::error::{InCall, Result};
use nix::unistd::{close, write};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// Opened by a process for the child that it is about to make.
///
/// The parent lends [`Entrance::born_in`] to
/// [`SpawnOptions`](crate::process::SpawnOptions); the child calls
/// [`Entrance::enter`]. Whether it may is decided by who has opened it, so the
/// child may have lost its rights, and the sight of the files, by then.
///
/// Source: cgroup-v2.rst, "Delegation Containment"
#[derive(Debug)]
pub struct Entrance {
    /// On v2 only.
    directory: Option<OwnedFd>,
    /// `tasks` of each tree; on v1 only.
    tasks: Vec<File>,
}

impl Entrance {
    /// Lends the directory of a v2 cgroup, for `CLONE_INTO_CGROUP`.
    pub fn born_in(&self) -> Option<BorrowedFd<'_>> {
        self.directory.as_ref().map(AsFd::as_fd)
    }

    /// Moves the calling thread, which has to be the only one of its process. On
    /// v2 it is there already.
    ///
    /// To be called once, by the child, whose copies of the handles end here: a
    /// container needs no directory of the host.
    ///
    /// Cheap because it is 0, and `tasks` and not `cgroup.procs`: who moves
    /// nobody but itself needs no lock of the whole machine (Linux 5.5,
    /// 2020-01).
    ///
    /// # Errors
    /// ENODEV: removed.
    ///
    /// Source: cgroup-v1/cgroups.rst, "Attaching processes"
    // ANCHOR: enter
    pub fn enter(&self) -> Result<()> {
        self.directory.iter().try_for_each(|directory| {
            close(directory.as_raw_fd()).in_call(|| "close(cgroup)".into())
        })?;
        self.tasks.iter().try_for_each(|tasks| {
            write(tasks, b"0").in_call(|| "write(tasks, 0)".into())?;
            close(tasks.as_raw_fd()).in_call(|| "close(tasks)".into())
        })
    }
    // ANCHOR_END: enter
}

impl Cgroup {
    /// Opens the way in for a child.
    ///
    /// # Errors
    /// ENOENT: removed. EACCES: not ours to enter.
    ///
    /// Source: cgroups(7), "Creating cgroups and moving processes"
    pub fn entrance(&self) -> Result<Entrance> {
        let tasks = match self.version {
            Version::V1 => self.paths(),
            Version::V2 => Vec::new(),
        };
        let tasks = tasks
            .into_iter()
            .map(|dir| files::open_for_writing(&dir.join("tasks")));
        Ok(Entrance {
            directory: self.dir_fd()?,
            tasks: tasks.collect::<Result<_>>()?,
        })
    }
}
