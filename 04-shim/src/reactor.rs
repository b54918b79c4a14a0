//! The one place where the shim blocks. Everything it lives for is a
//! descriptor: signals (signalfd), the container's output (pipes). So nothing
//! runs in a signal handler, and what to do is decided in one match over
//! [`Event`].

use std::time::Instant;

use namespaces::{InCall, SyscallError};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::AsFd;

use crate::log::Stream;
use crate::stdio::Stdio;

/// What can happen to a shim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// At least one child has ended: SIGCHLD does not count.
    ChildEnded,
    /// Somebody wants the container to end: SIGTERM, SIGINT or SIGQUIT.
    Terminate(Signal),
    /// The container (or still the runtime) has written, or closed its end.
    Output(Stream),
    /// Nothing happened until the deadline.
    DeadlinePassed,
}

/// Signals that the shim acts on.
const READ: [Signal; 4] =
    [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT];

/// Signals that would end the shim for what somebody else did: the manager
/// closed the sync pipe; the log reached a limit of size. Blocked, write(2)
/// just fails. Blocked and not ignored: ignoring is inherited by the runtime.
const BLOCKED: [Signal; 2] = [Signal::SIGPIPE, Signal::SIGXFSZ];

/// Waits for events. Signals are blocked from its making on, so none gets lost
/// between two waits.
#[derive(Debug)]
pub(crate) struct Reactor {
    signals: SignalFd,
}

impl Reactor {
    /// Blocks the signals and makes their descriptor.
    ///
    /// # Errors
    /// EMFILE, ENFILE: no descriptor is left.
    ///
    /// Source: signalfd(2)
    pub(crate) fn new() -> Result<Self, SyscallError> {
        let read = SigSet::from_iter(READ);
        let blocked = SigSet::from_iter(READ.into_iter().chain(BLOCKED));
        blocked
            .thread_block()
            .in_call(|| "sigprocmask(SIG_BLOCK, ..)".into())?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&read, flags)
            .in_call(|| "signalfd(-1, ..)".into())?;
        Ok(Self { signals })
    }

    /// Waits until something happens, and returns all that has.
    ///
    /// # Errors
    /// ENOMEM: the kernel has no memory for the call.
    ///
    /// Source: poll(2)
    pub(crate) fn wait(
        &self,
        stdio: &Stdio,
        deadline: Option<Instant>,
    ) -> Result<Vec<Event>, SyscallError> {
        let outputs: Vec<_> = stdio.open().collect();
        let mut sources =
            vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        sources.extend(
            outputs
                .iter()
                .map(|(_, pipe)| PollFd::new(*pipe, PollFlags::POLLIN)),
        );
        match poll(&mut sources, timeout(deadline)) {
            Ok(0) => return Ok(vec![Event::DeadlinePassed]),
            Ok(_) => {}
            // This process was stopped and continued.
            Err(Errno::EINTR) => return Ok(vec![]),
            Err(errno) => return Err(errno).in_call(|| "poll(..)".into()),
        }
        // POLLHUP counts as ready: read(2) then tells the end.
        let ready = |source: &PollFd| source.any().unwrap_or(true);
        let written = outputs
            .iter()
            .zip(&sources[1..])
            .filter(|(_, source)| ready(source));
        let mut events: Vec<_> =
            written.map(|((stream, _), _)| Event::Output(*stream)).collect();
        if ready(&sources[0]) {
            self.read_signals(&mut events)?;
        }
        Ok(events)
    }

    fn read_signals(
        &self,
        events: &mut Vec<Event>,
    ) -> Result<(), SyscallError> {
        while let Some(info) =
            self.signals.read_signal().in_call(|| "read(signalfd)".into())?
        {
            let signal = Signal::try_from(info.ssi_signo as i32);
            match signal.in_call(|| {
                format!("read(signalfd): signal {}", info.ssi_signo)
            })? {
                Signal::SIGCHLD => events.push(Event::ChildEnded),
                signal => events.push(Event::Terminate(signal)),
            }
        }
        Ok(())
    }
}

/// Rounds up to milliseconds, so that a wait never ends just before its
/// deadline, and again, and again.
fn timeout(deadline: Option<Instant>) -> PollTimeout {
    let Some(deadline) = deadline else { return PollTimeout::NONE };
    let left = deadline.saturating_duration_since(Instant::now());
    let millis = left.as_nanos().div_ceil(1_000_000);
    PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
}
