//! The other end of a terminal, held by us: what is typed here goes to the
//! program, what it prints comes here, and the size of our window is that of
//! its terminal. One loop, one place that blocks.

use anyhow::Result;
use namespaces::InCall;
use namespaces::process::{Child, ExitStatus};
use namespaces::signals::Forwarding;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{read, write};
use rustix::termios::{
    OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr,
    tcsetwinsize,
};
use std::io::{stdin, stdout};
use std::os::fd::{AsFd, OwnedFd};

/// Waits until the child has ended, and reaps it; meanwhile forwards signals,
/// and relays its terminal if it has one.
///
/// # Errors
/// ECHILD: it was reaped before.
pub(crate) fn wait(
    child: &Child,
    forwarding: &Forwarding,
    terminal: Option<OwnedFd>,
) -> Result<ExitStatus> {
    match terminal {
        Some(master) => relay(master, forwarding, child),
        None => Ok(forwarding.wait(child)?),
    }
}

/// Relays until the child has ended, and reaps it; meanwhile forwards signals.
///
/// # Errors
/// ECHILD: it was reaped before.
///
/// Source: pty(7), poll(2)
fn relay(
    master: OwnedFd,
    forwarding: &Forwarding,
    child: &Child,
) -> Result<ExitStatus> {
    // A signal that comes before the first look at the size is answered by it.
    let resized = window_changes()?;
    let mut relay = Relay::new(master)?;
    let _raw = RawMode::set();
    relay.copy_size();
    loop {
        let ready = relay.wait(&[
            child.pidfd(),
            forwarding.as_fd(),
            resized.as_fd(),
        ])?;
        if ready[1] {
            forwarding.forward(child)?;
        }
        if ready[2] {
            resized.read_signal().in_call(|| "read(signalfd)".into())?;
            relay.copy_size();
        }
        relay.exchange()?;
        if ready[0] {
            relay.drain()?;
            return Ok(child.wait()?);
        }
    }
}

fn window_changes() -> Result<SignalFd> {
    let set = SigSet::from_iter([Signal::SIGWINCH]);
    set.thread_block().in_call(|| "sigprocmask(SIG_BLOCK, ..)".into())?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    Ok(SignalFd::with_flags(&set, flags)
        .in_call(|| "signalfd(SIGWINCH)".into())?)
}

/// How far the two directions have come.
struct Relay {
    master: OwnedFd,
    /// Typed, and not taken by the program yet. While there is some, nothing
    /// more is read: a program that does not read must not fill our memory, and
    /// a write that waits for it must not keep us from what it prints.
    typed: Vec<u8>,
    /// Standard input may bring more.
    typing: bool,
    /// The program's side is open.
    printing: bool,
    /// Somebody reads our standard output.
    heard: bool,
}

impl Relay {
    fn new(master: OwnedFd) -> Result<Self> {
        fcntl(&master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .in_call(|| "fcntl(ptmx, F_SETFL, O_NONBLOCK)".into())?;
        Ok(Self {
            master,
            typed: Vec::new(),
            typing: true,
            printing: true,
            heard: true,
        })
    }

    /// Gives the terminal the size of our own window. Ours may be none: then
    /// its size stays.
    fn copy_size(&self) {
        if let Ok(size) = tcgetwinsize(stdin()) {
            // The master is a terminal as long as we hold it.
            let _ = tcsetwinsize(&self.master, size);
        }
    }

    /// Waits for anything to do; tells which of `events` have come.
    fn wait(
        &self,
        events: &[std::os::fd::BorrowedFd<'_>],
    ) -> Result<Vec<bool>> {
        let (input, output) = (PollFlags::POLLIN, PollFlags::POLLOUT);
        let mut fds: Vec<_> =
            events.iter().map(|fd| PollFd::new(*fd, input)).collect();
        let stdin = stdin();
        if self.printing {
            let wanted =
                if self.typed.is_empty() { input } else { input | output };
            fds.push(PollFd::new(self.master.as_fd(), wanted));
        }
        if self.reads_stdin() {
            fds.push(PollFd::new(stdin.as_fd(), input));
        }
        match poll(&mut fds, PollTimeout::NONE) {
            // Stopped and continued.
            Err(Errno::EINTR) => Ok(vec![false; events.len()]),
            result => {
                result.in_call(|| "poll([pidfd, ptmx, stdin, ..])".into())?;
                let ready = fds.iter().take(events.len());
                Ok(ready.map(|fd| fd.any() == Some(true)).collect())
            }
        }
    }

    fn reads_stdin(&self) -> bool {
        self.typing && self.printing && self.typed.is_empty()
    }

    /// Moves what can be moved without waiting.
    fn exchange(&mut self) -> Result<()> {
        self.print()?;
        if self.reads_stdin() && is_readable(stdin().as_fd()) {
            let mut buffer = [0; 4096];
            // A terminal that has hung up gives an error: nobody types.
            let count = read(stdin(), &mut buffer).unwrap_or(0);
            self.typing = count > 0;
            self.typed.extend_from_slice(&buffer[..count]);
        }
        match write(&self.master, &self.typed) {
            Ok(count) => drop(self.typed.drain(..count)),
            Err(Errno::EAGAIN) => {}
            // Nobody is left to read it.
            Err(_) => self.typed.clear(),
        }
        Ok(())
    }

    /// Copies one piece of what the program has printed; `false` if there is
    /// none now.
    fn print(&mut self) -> Result<bool> {
        let mut buffer = [0; 8192];
        match read(&self.master, &mut buffer) {
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(false),
            // EIO: the last one on the program's side has closed it.
            Ok(0) | Err(Errno::EIO) => {
                self.printing = false;
                Ok(false)
            }
            result => {
                let count = result.in_call(|| "read(ptmx)".into())?;
                self.show(&buffer[..count]);
                Ok(true)
            }
        }
    }

    fn show(&mut self, mut text: &[u8]) {
        while self.heard && !text.is_empty() {
            match write(stdout(), text) {
                Ok(count) => text = &text[count..],
                Err(Errno::EINTR) => {}
                // Our reader is gone; the program need not stop for that.
                Err(_) => self.heard = false,
            }
        }
    }

    fn drain(&mut self) -> Result<()> {
        while self.print()? {}
        Ok(())
    }
}

fn is_readable(fd: std::os::fd::BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
    // Without an answer there is nothing to read now.
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|count| count == 1)
}

/// Our own terminal passes every key on as it is: the container's decides what
/// Ctrl-C means. Undone when dropped.
struct RawMode {
    before: Termios,
}

impl RawMode {
    /// Does nothing if standard input is no terminal.
    fn set() -> Option<Self> {
        let stdin = stdin();
        let before =
            if isatty(&stdin) { tcgetattr(&stdin).ok()? } else { return None };
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Drain, &raw).ok()?;
        Some(Self { before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(stdin(), OptionalActions::Drain, &self.before);
    }
}
