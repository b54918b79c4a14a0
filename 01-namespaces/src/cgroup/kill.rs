//! How a cgroup ends: its processes killed, however fast they fork, and its
//! directories removed.

use super::{Cgroup, Version, files, v1, v2};
use crate::error::{Result, SyscallError};
use crate::process;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::fs;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How long the processes of a killed cgroup may take to be gone: long for a
/// process, short for a person who waits.
const END_LIMIT: Duration = Duration::from_secs(10);

impl Cgroup {
    /// Kills every process in it, and in the cgroups below it, also those that
    /// fork meanwhile; waits until they have ended.
    ///
    /// # Errors
    /// ETIMEDOUT: one of them is stuck in the kernel.
    ///
    /// Source: cgroup-v2.rst, "cgroup.kill", "Linux 5.14 (2021-08)"; v1:
    /// freezer-subsystem.rst
    pub fn kill(&self) -> Result<()> {
        let deadline = Instant::now() + END_LIMIT;
        loop {
            let pids = self.pids_left()?;
            if pids.is_empty() {
                return Ok(());
            }
            refuse_after(deadline, "read(cgroup.procs)".into())?;
            match self.version {
                Version::V1 => v1::kill(self.path_of("freezer"), &pids),
                Version::V2 => v2::kill(&self.dirs[0].path, &pids),
            }?;
            wait_for(&pids, deadline)?;
        }
    }

    /// Lists those of a cgroup of which a part may be removed already.
    fn pids_left(&self) -> Result<Vec<Pid>> {
        let mut pids = Vec::new();
        for path in self.paths() {
            pids.extend(files::unless_gone(files::pids_below(path))?);
        }
        pids.sort();
        pids.dedup();
        Ok(pids)
    }

    /// Waits until the processes in it have ended, then removes it and the
    /// cgroups below it. Does not kill. One that is gone already is no error.
    ///
    /// # Errors
    /// ETIMEDOUT: after 10 s there is still a process in it.
    ///
    /// Source: cgroups(7), "Removing cgroups"
    pub fn remove(&mut self) -> Result<()> {
        self.remove_within(END_LIMIT)
    }

    /// The same, for who cannot wait so long for its processes to have left.
    ///
    /// # Errors
    /// As [`Cgroup::remove`].
    ///
    /// Source: cgroups(7), "Removing cgroups"
    pub fn remove_within(&mut self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        for dir in self.dirs.iter().rev() {
            files::remove_tree(&dir.path, deadline)?;
        }
        self.owned = false;
        Ok(())
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if self.owned {
            // Nobody to tell. Who wants to know calls kill() and remove().
            let _ = self.kill();
            let _ = self.remove();
            for dir in self.made.iter().rev() {
                // EBUSY: in use by somebody else. ENOENT: removed above.
                let _ = fs::remove_dir(dir);
            }
        }
    }
}

/// Waits until each of these processes has ended; a handle tells, so
/// nothing is missed and nobody sleeps.
pub(super) fn wait_for(pids: &[Pid], deadline: Instant) -> Result<()> {
    for pid in pids {
        let pidfd = match process::pidfd_open(*pid) {
            Ok(pidfd) => pidfd,
            // It has ended already; or it is 0, a process outside of our pid
            // namespace: the caller looks again until there is none.
            Err(error)
                if matches!(error.errno, Errno::ESRCH | Errno::EINVAL) =>
            {
                continue;
            }
            failed => failed?,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if !process::wait_for_end(pidfd.as_fd(), left)? {
            refuse_after(deadline, format!("poll([pidfd of {pid}])"))?;
        }
    }
    Ok(())
}

fn refuse_after(deadline: Instant, call: String) -> Result<()> {
    if Instant::now() < deadline {
        return Ok(());
    }
    Err(SyscallError::new(call, Errno::ETIMEDOUT)
        .hint("a process does not end: see /proc/PID/stack"))
}
