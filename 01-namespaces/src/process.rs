//! Processes by handle: `spawn` makes a child in new namespaces, `Child` waits
//! for exactly that one, `exec` turns it into the program. A pid is only a
//! number that the kernel uses again; a pidfd cannot come to mean somebody
//! else.

mod exec;
mod gate;
mod pidfd;
mod refused;
mod scm_rights;

use crate::error::{InCall, Result};
use crate::namespace::Namespaces;
use crate::sys::{self, Cloned};
use nix::errno::Errno;
use nix::unistd::Pid;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use crate::sys::exit_now;
pub use exec::{
    close_from, close_on_exec_from, exec, exec_failure_code, reset_signals,
};
pub use gate::Gate;
pub use pidfd::{kill, pidfd_open, wait_for_end};
pub use scm_rights::{receive_fd, send_fd};

/// Says what [`spawn`] gives to the new process.
///
/// Source: clone3(2), "Linux 5.3 (2019-09)"
#[derive(Debug, Default)]
pub struct SpawnOptions<'a> {
    /// The namespaces to make for it. In a new pid namespace it is PID 1.
    pub namespaces: Namespaces,
    /// The directory of a v2 cgroup to be born in, see
    /// [`crate::cgroup::Cgroup::dir_fd`]. `None`: the caller's.
    pub cgroup: Option<BorrowedFd<'a>>,
}

/// Makes a process that runs `child` and exits with what it returns.
///
/// The child starts as a copy of the caller, as after fork(2). It exits without
/// running the destructors of what the caller owns, and its standard output is
/// flushed. **The caller must reap it** with [`Child::wait`]; if the caller
/// exits first, init or the nearest subreaper does.
///
/// # Errors
/// EPERM: no right to one of the namespaces (an ordinary user needs a user
/// namespace among them).
/// ENOSPC: a limit in /proc/sys/user is reached. EAGAIN: the limit of processes
/// is.
/// EDEADLK: refused by us, because the calling process has more than one
/// thread.
///
/// Source: clone3(2), "Linux 5.3 (2019-09)"
pub fn spawn(
    options: &SpawnOptions<'_>,
    child: impl FnOnce() -> i32,
) -> Result<Child> {
    // What is buffered now would be in both processes, and come out twice. It
    // cannot be lost: a failure to flush leaves it in our own buffer.
    let _ = std::io::stdout().flush();
    let flags = options.namespaces.flags().bits() as u32;
    match sys::clone3(u64::from(flags), options.cgroup) {
        Ok(Cloned::Parent(pid, pidfd)) => Ok(Child { pid, pidfd }),
        Ok(Cloned::Child) => {
            let code = child();
            // The reader may be gone; the exit code still counts.
            let _ = std::io::stdout().flush();
            exit_now(code)
        }
        Err(errno) => Err(refused::explain_clone3(options, errno)),
    }
}

/// Holds a process that [`spawn`] made. Dropping it neither ends nor reaps the
/// process.
///
/// Source: pidfd_open(2)
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    pidfd: OwnedFd,
}

impl Child {
    /// Gives the pid, as the caller's pid namespace counts.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Lends the handle, for poll(2): it is readable as soon as the process has
    /// ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Waits until the process has ended, and reaps it.
    ///
    /// # Errors
    /// ECHILD: it was reaped before.
    ///
    /// Source: waitid(2), "Linux 5.4 (2019-11)"
    pub fn wait(&self) -> Result<ExitStatus> {
        wait(self.pidfd())
    }

    /// Sends a signal; a number, because real-time signals have no name in
    /// `nix`: `child.kill(Signal::SIGTERM as i32)`.
    ///
    /// # Errors
    /// ESRCH: it has ended and was reaped.
    ///
    /// Source: pidfd_send_signal(2), "Linux 5.1 (2019-05)"
    pub fn kill(&self, signal: i32) -> Result<()> {
        kill(self.pidfd(), signal)
    }
}

/// Says how a process ended.
///
/// Source: waitid(2), `si_code` and `si_status`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// It called exit(3) with this status, 0 to 255.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
}

impl From<sys::Waited> for ExitStatus {
    fn from(waited: sys::Waited) -> Self {
        match waited.code {
            libc::CLD_EXITED => Self::Exited(waited.status),
            // CLD_KILLED or CLD_DUMPED: WEXITED gives no other.
            _ => Self::Signaled(waited.status),
        }
    }
}

impl ExitStatus {
    /// Gives one number as shells do: the exit status, or 128 plus the signal.
    ///
    /// Source: bash(1), "EXIT STATUS"
    pub fn code(self) -> i32 {
        match self {
            Self::Exited(status) => status,
            Self::Signaled(signal) => 128 + signal,
        }
    }
}

/// Waits until the child of the handle has ended, and reaps it.
///
/// # Errors
/// ECHILD: not our child, or reaped before.
///
/// Source: waitid(2), "Linux 5.4 (2019-11)"
pub fn wait(pidfd: BorrowedFd<'_>) -> Result<ExitStatus> {
    loop {
        match sys::waitid(Some(pidfd), 0) {
            Ok(Some(waited)) => return Ok(waited.into()),
            Ok(None) | Err(Errno::EINTR) => {}
            Err(errno) => {
                return Err(errno)
                    .in_call(|| "waitid(P_PIDFD, .., WEXITED)".into());
            }
        }
    }
}

/// Reaps the child of the handle if it has ended; `None` if it still runs. It
/// does not wait.
///
/// # Errors
/// ECHILD: not our child, or reaped before.
///
/// Source: waitid(2), `WNOHANG`
pub fn try_wait(pidfd: BorrowedFd<'_>) -> Result<Option<ExitStatus>> {
    let waited = sys::waitid(Some(pidfd), libc::WNOHANG);
    let waited =
        waited.in_call(|| "waitid(P_PIDFD, .., WEXITED | WNOHANG)".into())?;
    Ok(waited.map(ExitStatus::from))
}

/// Reaps one child that has ended, whichever it is. `None`: none has ended, or
/// there are no children.
///
/// A subreaper calls it until it gives `None`: SIGCHLD says that something has
/// ended, not how many.
///
/// # Errors
/// None that can happen: ECHILD, no children, is `None`.
///
/// Source: waitid(2), `P_ALL`
pub fn reap_any() -> Result<Option<(Pid, ExitStatus)>> {
    match sys::waitid(None, libc::WNOHANG) {
        Ok(ended) => Ok(ended.map(|waited| (waited.pid, waited.into()))),
        Err(Errno::ECHILD) => Ok(None),
        Err(errno) => {
            Err(errno).in_call(|| "waitid(P_ALL, .., WEXITED | WNOHANG)".into())
        }
    }
}

/// Copies a descriptor that this process was started with and knows by number
/// only, such as from an environment variable. The copy is close-on-exec and
/// above stderr; the original stays open, so close it.
///
/// # Errors
/// EBADF: nothing is open under that number.
///
/// Source: fcntl(2), `F_DUPFD_CLOEXEC`
pub fn dup_inherited(number: i32) -> Result<OwnedFd> {
    sys::dup_inherited(number)
        .in_call(|| format!("fcntl({number}, F_DUPFD_CLOEXEC)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_count_from_128() {
        assert_eq!(ExitStatus::Signaled(9).code(), 137);
        assert_eq!(ExitStatus::Exited(200).code(), 200);
    }
}
