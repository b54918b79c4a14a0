//! The one process that adopts and reaps what the book's commands leave behind.
//!
//! As a child subreaper we are what pid 1 is on a reader's machine: every orphan becomes our
//! child, so at the end of a chapter whatever still descends from us is a leak, exactly.

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::HashMap;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Command;
use std::time::{Duration, Instant};

/// Waits for signals and for one descriptor at a time, and reaps in between.
pub(crate) struct Reaper {
    mask: SigSet,
    signals: SignalFd,
}

/// A process that descends from us.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: Pid,
    /// Its name in /proc/PID/stat.
    pub(crate) name: String,
}

impl Reaper {
    /// Makes the calling process the reaper of all its descendants.
    ///
    /// # Errors
    /// The kernel has neither subreapers (Linux 3.4, 2012-05) nor signalfd.
    pub(crate) fn install() -> Result<Reaper> {
        prctl::set_child_subreaper(true)
            .context("prctl(PR_SET_CHILD_SUBREAPER, 1)")?;
        let mut mask = SigSet::empty();
        for signal in [Signal::SIGCHLD, Signal::SIGINT, Signal::SIGTERM] {
            mask.add(signal);
        }
        mask.thread_block().context("sigprocmask(SIG_BLOCK, ..)")?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals =
            SignalFd::with_flags(&mask, flags).context("signalfd(..)")?;
        Ok(Reaper { mask, signals })
    }

    /// Starts a program with no signal blocked: the mask survives fork and exec, and a shell that
    /// inherited ours would hand it to programs that then never see Ctrl-C.
    ///
    /// # Errors
    /// The program cannot be executed.
    pub(crate) fn spawn(&self, command: &mut Command) -> Result<Pid> {
        self.mask.thread_unblock().context("sigprocmask(SIG_UNBLOCK, ..)")?;
        let child = command.spawn();
        self.mask.thread_block().context("sigprocmask(SIG_BLOCK, ..)")?;
        reap(); // a SIGCHLD of that moment was lost
        let child = child.with_context(|| format!("execve({command:?})"))?;
        Ok(Pid::from_raw(child.id().try_into().expect("a pid fits in pid_t")))
    }

    /// Waits until `fd` can be read; false if `deadline` comes first.
    ///
    /// # Errors
    /// Somebody asked us to stop (SIGINT, SIGTERM): the caller unwinds and cleans up.
    pub(crate) fn readable(
        &self,
        fd: BorrowedFd<'_>,
        deadline: Instant,
    ) -> Result<bool> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout =
                PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let mut fds = [
                PollFd::new(fd, PollFlags::POLLIN),
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            ];
            let ready = match poll(&mut fds, timeout) {
                Err(Errno::EINTR) => continue,
                ready => ready.context("poll(..)")?,
            };
            let something = fds[0].any() == Some(true);
            self.take_signals()?;
            if something || ready == 0 {
                return Ok(something);
            }
        }
    }

    /// Waits until `done`, which a dying process makes true; false if `limit` comes first.
    ///
    /// # Errors
    /// As for `readable`.
    pub(crate) fn until(
        &self,
        limit: Duration,
        mut done: impl FnMut() -> bool,
    ) -> Result<bool> {
        let deadline = Instant::now() + limit;
        while !done() {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            // A grandchild's end raises no signal here, so we look again soon.
            let soon = PollTimeout::from(20u8);
            let mut fds =
                [PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, soon) {
                Err(Errno::EINTR) => {}
                ready => drop(ready.context("poll(signalfd)")?),
            }
            self.take_signals()?;
        }
        Ok(true)
    }

    /// Reaps every zombie of ours; a signal that asks us to stop becomes an error.
    fn take_signals(&self) -> Result<()> {
        while let Some(signal) =
            self.signals.read_signal().context("read(signalfd)")?
        {
            if signal.ssi_signo != libc::SIGCHLD as u32 {
                bail!("interrupted");
            }
        }
        reap();
        Ok(())
    }
}

/// Reaps every zombie of ours.
pub(crate) fn reap() {
    let reaped =
        |status| !matches!(status, Ok(WaitStatus::StillAlive) | Err(_));
    while reaped(waitpid(None, Some(WaitPidFlag::WNOHANG))) {}
}

/// Every living process that descends from us, children before grandchildren.
pub(crate) fn descendants() -> Vec<Process> {
    let mut children: HashMap<Pid, Vec<Process>> = HashMap::new();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for (parent, process) in entries.filter_map(|entry| stat(&entry.path())) {
        children.entry(parent).or_default().push(process);
    }
    let mut found = children.remove(&Pid::this()).unwrap_or_default();
    let mut next = 0;
    while let Some(process) = found.get(next) {
        let more = children.remove(&process.pid).unwrap_or_default();
        found.extend(more);
        next += 1;
    }
    found
}

/// Parent, pid and name from a folder of /proc; `None` if it is no process, or a dead one.
///
/// Source: proc_pid_stat(5). The name is in parentheses and may itself contain some.
fn stat(folder: &std::path::Path) -> Option<(Pid, Process)> {
    let pid: i32 = folder.file_name()?.to_str()?.parse().ok()?;
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    let (start, rest) = stat.rsplit_once(") ")?;
    let name = start.split_once('(')?.1.to_owned();
    let mut fields = rest.split(' ');
    let state = fields.next()?;
    let parent: i32 = fields.next()?.parse().ok()?;
    let process = Process { pid: Pid::from_raw(pid), name };
    (state != "Z").then_some((Pid::from_raw(parent), process))
}
