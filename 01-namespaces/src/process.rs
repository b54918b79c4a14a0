//! Processes by handle: `spawn` makes a child in new namespaces, `Child` waits
//! for exactly that one, `exec` turns it into the program. A pid is only a
//! number that the kernel uses again; a pidfd cannot come to mean somebody
//! else.

use crate::error::{InCall, Result, SyscallError};
use crate::namespace::Namespaces;
use crate::sys::{self, Cloned};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, execve};
use std::ffi::{CStr, CString};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

pub use crate::sys::{exit_now, receive_fd, send_fd};

/// Says what [`spawn`] gives to the new process.
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
        Err(errno) => Err(explain_clone3(options, errno)),
    }
}

fn explain_clone3(options: &SpawnOptions<'_>, errno: Errno) -> SyscallError {
    let error =
        SyscallError::new(format!("clone3({})", options.namespaces), errno);
    match errno {
        Errno::EDEADLK => error.hint(
            "not even tried: this process has more than one thread, and a copy of one thread waits for ever for locks of the others",
        ),
        Errno::EPERM if !nix::unistd::geteuid().is_root() => {
            error.hint("an ordinary user needs a user namespace too, and a kernel that allows it (user.max_user_namespaces)")
        }
        Errno::ENOSPC => error.hint("the limits are in /proc/sys/user/max_*_namespaces"),
        _ => error,
    }
}

/// Holds a process that [`spawn`] made. Dropping it neither ends nor reaps the
/// process.
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
            _ => Self::Signaled(waited.status), // CLD_KILLED or CLD_DUMPED: WEXITED gives no other
        }
    }
}

impl ExitStatus {
    /// Gives one number as shells do: the exit status, or 128 plus the signal.
    pub fn code(self) -> i32 {
        match self {
            Self::Exited(status) => status,
            Self::Signaled(signal) => 128 + signal,
        }
    }
}

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

/// Waits until the child of the handle has ended, and reaps it.
///
/// # Errors
/// ECHILD: not our child, or reaped before.
///
/// Source: waitid(2), "Linux 5.4 (2019-11)"
pub fn wait(pidfd: BorrowedFd<'_>) -> Result<ExitStatus> {
    loop {
        match sys::waitid(pidfd, 0) {
            Ok(Some(waited)) if waited.code == libc::CLD_EXITED => {
                return Ok(ExitStatus::Exited(waited.status));
            }
            Ok(Some(waited)) => return Ok(ExitStatus::Signaled(waited.status)),
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
    let waited = sys::waitid(pidfd, libc::WNOHANG);
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
/// None in practice.
///
/// Source: waitid(2), `P_ALL`
pub fn reap_any() -> Result<Option<(Pid, ExitStatus)>> {
    match sys::waitid_any() {
        Ok(ended) => {
            Ok(ended.map(|(pid, waited)| (pid, ExitStatus::from(waited))))
        }
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

/// Gives every signal its default action and unblocks all, whatever the parent
/// of this process had set.
///
/// # Errors
/// None in practice.
///
/// Source: execve(2), signal(7)
pub fn reset_signals() -> Result<()> {
    sys::reset_signals().in_call(|| "sigprocmask(SIG_SETMASK, [])".into())
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
            Ok(signal) => format!("pidfd_send_signal(.., {signal})"),
            Err(_) => format!("pidfd_send_signal(.., {signal})"),
        }
    })
}

/// Turns the process into `program`, with every signal at its default. A name
/// without `/` is searched in `env`'s PATH, that of the *new* program, not
/// ours. Returns only if it failed; see [`exec_failure_code`].
///
/// # Errors
/// ENOENT: not found, or its interpreter is not. EACCES: no execute permission.
/// ENOEXEC: not a program this machine runs.
///
/// Source: execve(2), environ(7)
pub fn exec(program: &CStr, argv: &[CString], env: &[CString]) -> SyscallError {
    if let Err(errno) = sys::reset_signals() {
        return SyscallError::new("sigprocmask(SIG_SETMASK, [])", errno);
    }
    let mut denied = None;
    for path in candidates(program, env) {
        let Err(errno) = execve(&path, argv, env);
        match errno {
            Errno::ENOENT | Errno::ENOTDIR => {}
            Errno::EACCES => denied = denied.or(Some(path)),
            _ => {
                return SyscallError::new(
                    format!("execve({path:?}, ..)"),
                    errno,
                );
            }
        }
    }
    match denied {
        Some(path) => SyscallError::new(format!("execve({path:?}, ..)"), Errno::EACCES)
            .hint("the file is there, but it may not be executed: mode, owner or a noexec mount"),
        None => SyscallError::new(format!("execve({program:?}, ..)"), Errno::ENOENT)
            .hint("no such program, or the interpreter that it names does not exist"),
    }
}

/// Gives the exit code that shells use for a failed [`exec`]: 127 if the
/// program was not found, 126 if it cannot be executed.
pub fn exec_failure_code(error: &SyscallError) -> i32 {
    if error.errno == Errno::ENOENT { 127 } else { 126 }
}

/// Where execvp(3) looks when PATH is not set.
const DEFAULT_PATH: &[u8] =
    b"/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// Lists the files that a program's name can mean, in the order of PATH. An
/// empty entry of PATH is the working directory.
fn candidates(program: &CStr, env: &[CString]) -> Vec<CString> {
    let name = program.to_bytes();
    if name.contains(&b'/') || name.is_empty() {
        return vec![program.to_owned()];
    }
    let path =
        env.iter().find_map(|entry| entry.to_bytes().strip_prefix(b"PATH="));
    let join = |dir: &[u8]| {
        let dir = if dir.is_empty() { b"." } else { dir };
        let file = Path::new(std::ffi::OsStr::from_bytes(dir))
            .join(std::ffi::OsStr::from_bytes(name));
        CString::new(file.as_os_str().as_bytes())
            .expect("both parts come from C strings")
    };
    path.unwrap_or(DEFAULT_PATH).split(|byte| *byte == b':').map(join).collect()
}

/// Makes every descriptor above stderr close-on-exec, so that the program
/// inherits nothing by accident (CVE-2024-21626).
///
/// # Errors
/// EINVAL: the kernel is older.
///
/// Source: close_range(2), "Linux 5.11 (2021-02)"
pub fn close_on_exec_from(first: u32) -> Result<()> {
    sys::close_range_cloexec(first)
        .in_call(|| format!("close_range({first}, ~0U, CLOSE_RANGE_CLOEXEC)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(text: &str) -> CString {
        CString::new(text).unwrap()
    }

    #[test]
    fn a_name_is_searched_in_the_path_of_the_new_program() {
        let env = [c("HOME=/"), c("PATH=/a:/b")];
        assert_eq!(candidates(&c("sh"), &env), [c("/a/sh"), c("/b/sh")]);
    }

    #[test]
    fn a_path_is_not_searched() {
        assert_eq!(candidates(&c("./sh"), &[c("PATH=/a")]), [c("./sh")]);
    }

    #[test]
    fn signals_count_from_128() {
        assert_eq!(ExitStatus::Signaled(9).code(), 137);
        assert_eq!(ExitStatus::Exited(200).code(), 200);
    }

    #[test]
    fn a_process_with_threads_is_refused() {
        let error =
            std::thread::spawn(|| spawn(&SpawnOptions::default(), || 0)).join();
        let error = error.unwrap().unwrap_err();
        assert_eq!(error.errno, Errno::EDEADLK);
        assert!(error.to_string().contains("more than one thread"), "{error}");
    }
}
