//! What a program in the foreground owes the child it waits for: signals that
//! were meant for the child reach it. One place blocks, in poll(2), on the
//! child's handle and on the signals; no handler runs, so no race is possible.

use crate::error::{InCall, Result};
use crate::process::{Child, ExitStatus};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use nix::unistd::getsid;
use std::os::fd::{AsFd, BorrowedFd};

/// The signals by which a user or a service manager talks to a program.
const FORWARDED: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// Holds back the signals that are to be forwarded. They wait in the kernel
/// until they are read.
///
/// Source: signalfd(2)
#[derive(Debug)]
pub struct Forwarding {
    signals: SignalFd,
}

impl Forwarding {
    /// Blocks the signals. **Before the child is made**, so that none is lost
    /// in between; `exec` unblocks them in the child.
    ///
    /// # Errors
    /// EMFILE: no descriptor left.
    ///
    /// Source: signalfd(2)
    pub fn start() -> Result<Self> {
        let set: SigSet = FORWARDED.into_iter().collect();
        set.thread_block().in_call(|| "sigprocmask(SIG_BLOCK, ..)".into())?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&set, flags)
            .in_call(|| "signalfd(..)".into())?;
        Ok(Self { signals })
    }

    /// Waits until the child has ended and reaps it; meanwhile forwards what
    /// arrives.
    ///
    /// # Errors
    /// ECHILD: it was reaped before.
    ///
    /// Source: poll(2), waitid(2)
    pub fn wait(&self, child: &Child) -> Result<ExitStatus> {
        while !self.poll(child)? {
            self.forward(child)?;
        }
        child.wait()
    }

    /// Blocks until the child has ended (`true`) or a signal has arrived.
    fn poll(&self, child: &Child) -> Result<bool> {
        let mut events = [
            PollFd::new(child.pidfd(), PollFlags::POLLIN),
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut events, PollTimeout::NONE) {
            // Stopped and continued, for example by a debugger.
            Err(Errno::EINTR) => Ok(false),
            result => {
                result.in_call(|| "poll([pidfd, signalfd])".into())?;
                Ok(events[0].any().unwrap_or(false))
            }
        }
    }

    /// Sends what has arrived to the child; does not wait. For a loop that
    /// waits for other things too: it polls the value's descriptor.
    ///
    /// # Errors
    /// ESRCH: the child was reaped.
    ///
    /// Source: signalfd(2), pidfd_send_signal(2)
    pub fn forward(&self, child: &Child) -> Result<()> {
        while let Some(signal) =
            self.signals.read_signal().in_call(|| "read(signalfd)".into())?
        {
            forward(&signal, child)?;
        }
        Ok(())
    }
}

impl AsFd for Forwarding {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}

/// Hands a signal on. A terminal sends Ctrl-C to the whole foreground group: a
/// child that is in our session has it already.
pub(crate) fn forward(signal: &siginfo, child: &Child) -> Result<()> {
    let from_terminal = signal.ssi_code == SI_KERNEL;
    if from_terminal && is_in_our_session(child) {
        return Ok(());
    }
    match child.kill(signal.ssi_signo as i32) {
        // It has become somebody whom we may not signal, such as root by a
        // set-user-ID program.
        Err(error) if error.errno == Errno::EPERM => Ok(()),
        result => result,
    }
}

/// Source: getsid(2)
fn is_in_our_session(child: &Child) -> bool {
    getsid(Some(child.pid())) == getsid(None)
}

/// The origin "the kernel itself", such as a terminal. Source: sigaction(2),
/// "si_code"
const SI_KERNEL: i32 = 0x80;
