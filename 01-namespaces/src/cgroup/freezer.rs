//! The freezer: every process of a cgroup held still, as it stands, without a
//! signal that it could notice. It is how a runtime pauses a container.

use super::{Cgroup, Version, files};
use crate::error::{InCall, Result, SyscallError};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long processes may take to stand still. One in the middle of a system
/// call that cannot be interrupted, such as a read from a dead NFS server,
/// takes longer.
const FREEZE_LIMIT: Duration = Duration::from_secs(10);

impl Cgroup {
    /// Holds every process in it still, and those in the cgroups below; waits
    /// until they are. If they do not get there, they are let go again.
    ///
    /// # Errors
    /// ETIMEDOUT: after 10 s one of them is still stuck in the kernel. ENOENT:
    /// removed, or v1 without a freezer.
    ///
    /// Source: cgroup-v2.rst, "cgroup.freeze", "Linux 5.2 (2019-07)";
    /// cgroup-v1/freezer-subsystem.rst
    pub fn freeze(&self) -> Result<()> {
        let result = self.set_frozen(true);
        if result.is_err() {
            // The first error is the one to tell.
            let _ = self.set_frozen(false);
        }
        result
    }

    /// Lets the processes go on; waits until they do.
    ///
    /// # Errors
    /// ENOENT: removed, or v1 without a freezer. ETIMEDOUT: a cgroup above is
    /// frozen.
    ///
    /// Source: freezer-subsystem.rst; cgroup-v2.rst, "cgroup.freeze", "Linux
    /// 5.2 (2019-07)"
    pub fn thaw(&self) -> Result<()> {
        self.set_frozen(false)
    }

    /// Tells whether all processes in it are held still, by it or by a cgroup
    /// above.
    ///
    /// # Errors
    /// ENOENT: removed, or v1 without a freezer.
    ///
    /// Source: freezer-subsystem.rst; cgroup-v2.rst, "cgroup.events", "Linux
    /// 5.2 (2019-07)"
    pub fn is_frozen(&self) -> Result<bool> {
        let file = ("freezer.state", "cgroup.events");
        let path = self.file("freezer", self.version.pick(file))?;
        files::read(&path).map(|text| says_frozen(&text))
    }

    fn set_frozen(&self, frozen: bool) -> Result<()> {
        let deadline = Instant::now() + FREEZE_LIMIT;
        match self.version {
            Version::V1 => {
                let path = self.file("freezer", "freezer.state")?;
                write_until(&path, frozen, deadline)
            }
            Version::V2 => {
                let dir = &self.dirs[0].path;
                let value = if frozen { "1" } else { "0" };
                files::write(&dir.join("cgroup.freeze"), value)?;
                wait_until(&dir.join("cgroup.events"), frozen, deadline)
            }
        }
    }
}

/// Understands both files: v1 says FREEZING as long as one process still moves;
/// v2 says "frozen 0" until none does.
fn says_frozen(text: &str) -> bool {
    text.lines().any(|line| matches!(line, "FROZEN" | "frozen 1"))
}

/// v2: the kernel announces a change of the file by POLLPRI, counted from our
/// last read, so that none is missed.
fn wait_until(events: &Path, frozen: bool, deadline: Instant) -> Result<()> {
    let file = File::open(events).in_call(|| format!("open({events:?})"))?;
    loop {
        let text = read_again(&file).in_call(|| format!("read({events:?})"))?;
        if says_frozen(&text) == frozen {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(timed_out(format!("poll({events:?}, POLLPRI)")));
        }
        let mut changed = [PollFd::new(file.as_fd(), PollFlags::POLLPRI)];
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut changed, left) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno).in_call(|| "poll(..)".into()),
        }
    }
}

fn read_again(mut file: &File) -> std::io::Result<String> {
    use std::io::{Read, Seek};
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// v1 announces nothing, and only a read makes the kernel look whether all
/// stand still. So we look, and give the processor away between two looks; and
/// write anew, because a process forked meanwhile may have been missed.
fn write_until(path: &Path, frozen: bool, deadline: Instant) -> Result<()> {
    let state = if frozen { "FROZEN" } else { "THAWED" };
    loop {
        files::write(path, state)?;
        if files::read(path)?.trim() == state {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(timed_out(format!("write({path:?}, {state:?})")));
        }
        std::thread::yield_now();
    }
}

fn timed_out(call: String) -> SyscallError {
    SyscallError::new(call, Errno::ETIMEDOUT)
        .hint("a process is stuck in the kernel, or a cgroup above is frozen")
}
