//! A process that we trace: how it comes to that, and how it goes on.

use crate::root::shown;
use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Stops itself before it becomes the command: to trace a child from its first
/// instruction on takes code between fork(2) and execve(2), and that is unsafe.
const STOPPED: &str = "kill -STOP $$; exec \"$@\"";

/// The first process of a command. It ends with this value, if it has not yet.
pub(super) struct Tracee {
    pid: Pid,
    handle: OwnedFd,
}

impl Tracee {
    /// Starts the command, traced together with all its descendants.
    ///
    /// # Errors
    /// It cannot be started, or traced.
    pub(super) fn start(command: &Command) -> Result<Tracee> {
        let mut sh = Command::new("sh");
        sh.args(["-c", STOPPED, "sh"]);
        sh.arg(command.get_program()).args(command.get_args());
        sh.stdin(Stdio::null()).stdout(Stdio::null());
        let child = sh.spawn().with_context(|| shown(&sh))?;
        let pid = Pid::from_raw(child.id().cast_signed());
        let tracee = Tracee { pid, handle: handle(pid)? };
        match waitpid(pid, Some(WaitPidFlag::WUNTRACED)).context("waitpid")? {
            WaitStatus::Stopped(..) => {}
            other => bail!("sh: {other:?}"),
        }
        let children = Options::PTRACE_O_TRACEFORK
            | Options::PTRACE_O_TRACEVFORK
            | Options::PTRACE_O_TRACECLONE;
        let options =
            children | Options::PTRACE_O_TRACEEXEC | Options::PTRACE_O_EXITKILL;
        ptrace::seize(pid, options).context("PTRACE_SEIZE")?;
        kill(pid, Signal::SIGCONT).context("kill(SIGCONT)")?;
        Ok(tracee)
    }

    pub(super) fn pid(&self) -> Pid {
        self.pid
    }
}

impl Drop for Tracee {
    fn drop(&mut self) {
        // Mostly it has ended and been waited for: both calls fail.
        let _ = pidfd_send_signal(&self.handle, rustix::process::Signal::KILL);
        while let Ok(status) = waitpid(self.pid, Some(WaitPidFlag::__WALL)) {
            if let WaitStatus::Exited(..) | WaitStatus::Signaled(..) = status {
                break;
            }
        }
    }
}

/// A handle that never means another process.
pub(super) fn handle(pid: Pid) -> Result<OwnedFd> {
    let number = rustix::process::Pid::from_raw(pid.as_raw());
    let number = number.context("a process has a number")?;
    pidfd_open(number, PidfdFlags::empty())
        .with_context(|| format!("pidfd_open({pid})"))
}

/// Lets a process that stands go on, with the signal that it stood at.
pub(super) fn go_on(pid: Pid, signal: Option<Signal>) -> Result<()> {
    ptrace::cont(pid, signal).context("PTRACE_CONT")
}

/// Tells whether the process stands, to be looked at by us.
pub(super) fn stands(pid: Pid) -> bool {
    ptrace::getsiginfo(pid) != Err(Errno::ESRCH)
}

/// Tells whether a process executes this very file, under whatever path.
pub(super) fn executes(pid: Pid, program: &Path) -> Result<bool> {
    let link = format!("/proc/{pid}/exe");
    let its = fs::metadata(&link).context(link)?;
    let wanted = fs::metadata(program).context("stat(program)")?;
    Ok((its.dev(), its.ino()) == (wanted.dev(), wanted.ino()))
}
