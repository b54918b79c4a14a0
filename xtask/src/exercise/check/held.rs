//! A program under check, held in the state that is looked at.
//!
//! Its last arguments are a command, and that is `cat -`: as soon as a line
//! comes back through it, everything was done to it; it goes on being there
//! until its input ends. So the check needs no cooperation, and no language.

use super::Claim;
use super::proc::{argv, family};
use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::process::{
    Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio,
};
use std::time::{Duration, Instant};

/// The command that holds.
pub(crate) const CAT: [&str; 2] = ["cat", "-"];

/// How long a program may take for a step: long for a machine, short for a
/// person.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

static RUNS: Claim = Claim {
    name: "the command runs",
    likely: "the program failed before it executed its last arguments, or \
             executed something else; what it said is above",
    man: "man 2 execve",
};

static ENDS: Claim = Claim {
    name: "the program ends when the command does",
    likely: "it does not wait for the command, or waits for somebody else",
    man: "man 2 wait",
};

/// A running program and the command that it has started.
pub(crate) struct Held {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    /// What it has printed so far.
    printed: String,
}

impl Held {
    /// Starts `program args.. command..` and waits until the `cat -` in the
    /// command answers.
    ///
    /// # Errors
    /// A [`super::Failure`]: it does not answer.
    pub(crate) fn start(
        program: &Path,
        args: &[OsString],
        command: &[&str],
    ) -> Result<Self> {
        let mut held =
            Self::spawn(Command::new(program).args(args).args(command))?;
        held.answers("ready")?;
        Ok(held)
    }

    /// Starts a program, and waits for nothing.
    ///
    /// # Errors
    /// ENOENT, EACCES: not a program.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| {
                format!("execve({:?}, ..)", command.get_program())
            })?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("stdout is a pipe")?;
        Ok(Self { child, stdin, stdout, printed: String::new() })
    }

    /// Waits until whoever has the pipes by now sends this line back, one that
    /// it was not sent before.
    ///
    /// # Errors
    /// A [`super::Failure`]: nobody does.
    pub(crate) fn answers(&mut self, line: &str) -> Result<()> {
        if let Some(stdin) = &mut self.stdin {
            // Nobody may be there to read it: the missing answer tells.
            let _ = writeln!(stdin, "{line}");
        }
        self.expect_line(line)
    }

    /// Waits until this line was printed, by whatever shares the output.
    ///
    /// # Errors
    /// A [`super::Failure`]: not within the limit, or not before the end.
    pub(crate) fn expect_line(&mut self, line: &str) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        let expected = || format!("{line:?} comes back through `cat`");
        while !self.printed.lines().any(|printed| printed == line) {
            if !readable(self.stdout.as_fd(), deadline)? {
                return Err(RUNS.fails(expected(), "no answer in 10 seconds"));
            }
            let mut buffer = [0; 4096];
            let count = self.stdout.read(&mut buffer)?;
            if count == 0 {
                let status = self.wait()?;
                let observed = format!("the program ended: {status}");
                return Err(RUNS.fails(expected(), observed));
            }
            self.printed += &String::from_utf8_lossy(&buffer[..count]);
        }
        Ok(())
    }

    /// The program itself.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// The processes of the program with these arguments, eldest first.
    ///
    /// # Errors
    /// /proc is not mounted.
    pub(crate) fn all(&self, wanted: &[&str]) -> Result<Vec<Pid>> {
        let family = family(self.pid())?.into_iter();
        Ok(family.filter(|pid| argv(*pid) == wanted).collect())
    }

    /// The command.
    ///
    /// # Errors
    /// A [`super::Failure`]: it answered, but is no descendant of the program.
    pub(crate) fn command(&self) -> Result<Pid> {
        self.all(&CAT)?.first().copied().ok_or_else(|| {
            RUNS.fails("`cat -` among its descendants", "none of them is")
        })
    }

    /// Ends the command's input, and gives the program's exit status.
    ///
    /// # Errors
    /// A [`super::Failure`]: it does not end.
    pub(crate) fn end(mut self) -> Result<ExitStatus> {
        drop(self.stdin.take());
        self.wait()
    }

    /// Waits for the end of the program, and gives its exit status; who has
    /// the pipes may still be there.
    ///
    /// # Errors
    /// A [`super::Failure`]: it does not end.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        let ended = ends(&pidfd(self.pid())?)?;
        if !ended {
            return Err(ENDS.fails("it ends", "it still runs after 10 seconds"));
        }
        Ok(self.child.wait()?)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Both fail only if it has ended; its descendants are swept later.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A handle on a process.
///
/// # Errors
/// ESRCH: it is gone.
pub(crate) fn pidfd(pid: Pid) -> Result<OwnedFd> {
    let process = rustix::process::Pid::from_raw(pid.as_raw());
    let process = process.context("0 is no process")?;
    pidfd_open(process, PidfdFlags::empty())
        .with_context(|| format!("pidfd_open({pid})"))
}

/// Waits until the process of the handle has ended; `false`: not in time.
///
/// # Errors
/// None in practice.
pub(crate) fn ends(pidfd: &OwnedFd) -> Result<bool> {
    readable(pidfd.as_fd(), Instant::now() + LIMIT)
}

/// Waits until there is something to read; `false`: not before the deadline.
///
/// # Errors
/// None in practice.
pub(crate) fn readable(fd: BorrowedFd<'_>, deadline: Instant) -> Result<bool> {
    let left = deadline.saturating_duration_since(Instant::now());
    let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
    let mut ready = [PollFd::new(fd, PollFlags::POLLIN)];
    Ok(poll(&mut ready, left)? == 1)
}
