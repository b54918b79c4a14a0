//! What can be done with any process by its handle, ours or not: wait until it
//! has ended, send it a signal. Reaping, and how it ended, is its parent's.

use crate::error::{InCall, Result};
use crate::sys;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

/// Opens a handle on any process. Not a child of ours: the handle tells that it
/// has ended, not how.
///
/// # Errors
/// ESRCH: no such process.
///
/// Source: pidfd_open(2), "Linux 5.3 (2019-09)"
pub fn pidfd_open(pid: Pid) -> Result<OwnedFd> {
    sys::pidfd_open(pid).in_call(|| format!("pidfd_open({pid})"))
}

/// Waits until the process of the handle has ended, whoever its parent is, and
/// does not reap it. `false`: not within `limit`.
///
/// # Errors
/// EINTR: a signal handler ran.
///
/// Source: pidfd_open(2), "poll"
pub fn wait_for_end(pidfd: BorrowedFd<'_>, limit: Duration) -> Result<bool> {
    let mut ended = [PollFd::new(pidfd, PollFlags::POLLIN)];
    let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
    let count = poll(&mut ended, limit).in_call(|| "poll([pidfd])".into())?;
    Ok(count == 1)
}

/// Sends a signal to exactly the process of the handle.
///
/// # Errors
/// ESRCH: it has ended and was reaped. EPERM: it belongs to somebody else.
/// EINVAL: no such signal.
///
/// Source: pidfd_send_signal(2), "Linux 5.1 (2019-05)"
pub fn kill(pidfd: BorrowedFd<'_>, signal: i32) -> Result<()> {
    sys::pidfd_send_signal(pidfd, signal).in_call(|| {
        match Signal::try_from(signal) {
            Ok(named) => format!("pidfd_send_signal(.., {named})"),
            Err(_) => format!("pidfd_send_signal(.., {signal})"),
        }
    })
}
