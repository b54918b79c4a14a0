//! Serving: the container's output goes to the log, signals go to the
//! container, and every orphan is reaped, until the process that we wait for
//! has ended. While it is created, that process is the runtime; then it is the
//! container.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use namespaces::SyscallError;
use namespaces::process::{self, Child, ExitStatus};
use nix::errno::Errno;
use nix::libc::SIGKILL;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::log::{Log, Stream};
use crate::reactor::{Event, Reactor};
use crate::runtime_stderr::RuntimeStderr;
use crate::stdio::Stdio;

/// A container process that a runtime has made and that is our child.
#[derive(Debug)]
pub(crate) struct Container {
    /// As the shim's pid namespace counts.
    pub(crate) pid: Pid,
    /// Opened while it was our child and not reaped, so it means that process
    /// and never another.
    pub(crate) pidfd: OwnedFd,
}

/// Whose end is waited for, and with it: what a signal means, and who is
/// reaped.
#[derive(Debug, Clone, Copy)]
enum Awaited<'a> {
    Runtime(&'a Child),
    Container(&'a Container),
}

/// Everything that the shim keeps for its container.
#[derive(Debug)]
pub(crate) struct Server {
    reactor: Reactor,
    stdio: Stdio,
    log: Log,
    runtime_stderr: RuntimeStderr,
    cancelled: Option<Signal>,
    deadline: Option<Instant>,
}

impl Server {
    /// Puts the parts together.
    pub(crate) fn new(reactor: Reactor, stdio: Stdio, log: Log) -> Self {
        Self {
            reactor,
            stdio,
            log,
            runtime_stderr: RuntimeStderr::default(),
            cancelled: None,
            deadline: None,
        }
    }

    /// Serves until the runtime has ended, and reaps nobody else: as long as
    /// the container process' pid is not known, an exit status that we took
    /// could be the container's. A zombie keeps it for us.
    ///
    /// SIGTERM, SIGINT or SIGQUIT kill the runtime, and so does the deadline.
    ///
    /// # Errors
    /// ENOMEM: the kernel has no memory for poll(2).
    pub(crate) fn wait_for_runtime(
        &mut self,
        runtime: &Child,
        deadline: Option<Instant>,
    ) -> Result<ExitStatus, SyscallError> {
        self.deadline = deadline;
        let status = self.serve(Awaited::Runtime(runtime))?;
        self.deadline = None;
        self.drain(Awaited::Runtime(runtime)); // its last words
        Ok(status)
    }

    /// Serves until the container process has ended and all that it has written
    /// is in the log.
    ///
    /// # Errors
    /// ENOMEM: the kernel has no memory for poll(2).
    pub(crate) fn wait_for_container(
        &mut self,
        container: &Container,
    ) -> Result<ExitStatus, SyscallError> {
        self.runtime_stderr.take(); // they were warnings, and stand in the log
        let status = self.serve(Awaited::Container(container))?;
        self.drain(Awaited::Container(container));
        Ok(status)
    }

    /// Returns what the runtime said on stderr, at most the last 8 KiB.
    pub(crate) fn take_runtime_stderr(&mut self) -> Vec<u8> {
        self.runtime_stderr.take()
    }

    /// Returns the signal that told the shim to give up the create.
    pub(crate) fn cancelled(&self) -> Option<Signal> {
        self.cancelled
    }

    /// Waits until the log is on the disk.
    ///
    /// # Errors
    /// See [`Log::sync`].
    pub(crate) fn sync_log(&mut self) -> std::io::Result<()> {
        self.log.sync()
    }

    fn serve(
        &mut self,
        awaited: Awaited<'_>,
    ) -> Result<ExitStatus, SyscallError> {
        // Before the first wait: its SIGCHLD may have been read together with
        // another's.
        let mut ended = awaited.reap()?;
        loop {
            if let Some(status) = ended {
                return Ok(status);
            }
            for event in self.reactor.wait(&self.stdio, self.deadline)? {
                ended = ended.or(self.on_event(event, awaited)?);
            }
        }
    }

    // ANCHOR: on_event
    /// Does what an event asks for; returns how the awaited process ended, if
    /// it has.
    fn on_event(
        &mut self,
        event: Event,
        awaited: Awaited<'_>,
    ) -> Result<Option<ExitStatus>, SyscallError> {
        match event {
            Event::ChildEnded => return awaited.reap(),
            Event::Output(stream) => {
                self.pump(stream, awaited);
            }
            Event::Terminate(signal) => self.terminate(awaited, signal)?,
            Event::DeadlinePassed => {
                self.deadline = None;
                awaited.kill(SIGKILL)?;
            }
        }
        Ok(None)
    }
    // ANCHOR_END: on_event

    /// Reads once; returns how many bytes.
    fn pump(&mut self, stream: Stream, awaited: Awaited<'_>) -> usize {
        let Some(output) = self.stdio.read(stream) else { return 0 };
        if let (Awaited::Runtime(_), Stream::Stderr) = (awaited, stream) {
            self.runtime_stderr.push(output);
        }
        self.log.append(stream, output);
        output.len()
    }

    fn terminate(
        &mut self,
        awaited: Awaited<'_>,
        signal: Signal,
    ) -> Result<(), SyscallError> {
        match awaited {
            // Not the signal itself: a runtime may ignore it, and what it has
            // half made is ours to remove anyway.
            Awaited::Runtime(_) => {
                self.cancelled = Some(signal);
                awaited.kill(SIGKILL)
            }
            Awaited::Container(_) => awaited.kill(signal as i32),
        }
    }

    /// Reads what the pipes still hold, without waiting for their end: without
    /// a pid namespace, a process that the container left in the background may
    /// hold them open, and even write on and on. What the ended process itself
    /// has written is in the pipe by now, and that is at most what the pipe can
    /// hold.
    fn drain(&mut self, awaited: Awaited<'_>) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let mut left = self.stdio.capacity(stream);
            while left > 0 {
                match self.pump(stream, awaited) {
                    0 => break,
                    read => left = left.saturating_sub(read),
                }
            }
        }
    }
}

impl Awaited<'_> {
    /// Reaps what may be reaped now; returns how the awaited process ended, if
    /// it has.
    fn reap(self) -> Result<Option<ExitStatus>, SyscallError> {
        match self {
            Self::Runtime(runtime) => process::try_wait(runtime.pidfd()),
            Self::Container(container) => reap_all(container.pid),
        }
    }

    fn kill(self, signal: i32) -> Result<(), SyscallError> {
        let pidfd = match self {
            Self::Runtime(runtime) => runtime.pidfd(),
            Self::Container(container) => container.pidfd.as_fd(),
        };
        match process::kill(pidfd, signal) {
            // It has ended: what the sender wants.
            Err(error) if error.errno == Errno::ESRCH => Ok(()),
            sent => sent,
        }
    }
}

// ANCHOR: reap_all
/// Reaps everything that has ended: one SIGCHLD can stand for many, and the
/// first one is rarely the container.
fn reap_all(container: Pid) -> Result<Option<ExitStatus>, SyscallError> {
    let mut ended = None;
    while let Some((pid, status)) = process::reap_any()? {
        if pid == container {
            ended = Some(status);
        }
    }
    Ok(ended)
}
// ANCHOR_END: reap_all
