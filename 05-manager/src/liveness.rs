//! Whether a shim lives: it holds a lock on its pid file, which a recycled pid
//! cannot fake, and a pidfd tells the moment when it ends. 04-shim/PROTOCOL.md,
//! "Liveness".

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Flock, FlockType, Pid, PidfdFlags, Signal};

use crate::error::{Result, failed};
use crate::ready::wait_readable;

/// Opens a pidfd for the shim that holds the lock on `pid_file`; `None` if no
/// shim lives.
///
/// The lock is asked twice, because the holder may end, and its pid be given to
/// another process, between the first answer and pidfd_open(2).
///
/// # Errors
/// EMFILE: too many open files. EACCES: as open(2).
///
/// Source: fcntl_locking(2), pidfd_open(2), Linux 5.3 (2019-09);
/// 04-shim/PROTOCOL.md, "Liveness"
pub fn pidfd(pid_file: &Path) -> Result<Option<OwnedFd>> {
    let file = match File::open(pid_file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(None);
        }
        opened => opened.map_err(failed(format!("open({pid_file:?})")))?,
    };
    let Some(holder) = lock_holder(&file)? else { return Ok(None) };
    let pidfd = match open_pidfd(holder)? {
        Some(pidfd) if lock_holder(&file)? == Some(holder) => pidfd,
        _ => return Ok(None),
    };
    Ok(Some(pidfd))
}

/// Opens a pidfd for a process; `None` if there is none of that number.
///
/// # Errors
/// EMFILE: too many open files.
///
/// Source: pidfd_open(2), Linux 5.3 (2019-09)
pub fn open_pidfd(pid: Pid) -> Result<Option<OwnedFd>> {
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Some(pidfd)),
        Err(rustix::io::Errno::SRCH) => Ok(None),
        Err(errno) => Err(failed(format!("pidfd_open({pid})"))(errno)),
    }
}

/// Kills the shim that holds the lock on `pid_file`, and waits until it is
/// gone. For half-made containers only: the exit code is lost.
///
/// # Errors
/// EPERM: as pidfd_send_signal(2). It is not gone after 10 seconds.
pub fn kill(pid_file: &Path) -> Result<()> {
    let Some(pidfd) = pidfd(pid_file)? else { return Ok(()) };
    // Err: it ended by itself just now.
    let _ = rustix::process::pidfd_send_signal(&pidfd, Signal::KILL);
    wait_readable(
        pidfd.as_fd(),
        Instant::now() + Duration::from_secs(10),
        "conman-shim to end",
    )
}

/// Reads the pid that a runtime wrote with `--pid-file`.
#[must_use]
pub fn read_pid(file: &Path) -> Option<i32> {
    std::fs::read_to_string(file)
        .ok()?
        .trim()
        .parse()
        .ok()
        .filter(|pid| *pid > 0)
}

fn lock_holder(file: &File) -> Result<Option<Pid>> {
    let whole_file = Flock::from(FlockType::WriteLock);
    let lock = rustix::process::fcntl_getlk(file, &whole_file)
        .map_err(failed("fcntl(F_GETLK)"))?;
    Ok(lock.and_then(|lock| lock.pid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_that_nobody_locks_belongs_to_no_shim() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("shim.pid");
        assert!(pidfd(&file).unwrap().is_none());
        std::fs::write(&file, std::process::id().to_string()).unwrap();
        assert!(pidfd(&file).unwrap().is_none(), "a recycled pid deceives");
    }
}
