//! The FIFO between `create` and `start`: init waits on it, `start` writes a
//! byte and removes it.
//!
//! Init is the reader, over a descriptor from before its birth, so it needs no
//! path and no /proc in the container; and if init has ended, the writer's
//! open(2) says so (ENXIO) instead of waiting for ever.

use anyhow::{Result, bail};
use namespaces::InCall;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, unlink, write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Makes the FIFO and opens it for init.
///
/// # Errors
/// EEXIST: somebody else uses the state directory.
///
/// Source: fifo(7)
pub(crate) fn make_fifo(path: &Path) -> Result<OwnedFd> {
    mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR)
        .in_call(|| format!("mkfifo({path:?})"))?;
    // For writing too: else open(2) would wait for a writer, which comes only
    // with `start`; and one that is killed before it has written would leave
    // init with end-of-file for ever.
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC;
    Ok(open(path, flags, Mode::empty())
        .in_call(|| format!("open({path:?}, O_RDWR)"))?)
}

/// Lets init go on. Of two at the same time, the one that removes the FIFO has
/// started the container.
///
/// # Errors
/// "cannot be started", because another `start` was faster or init has ended.
// ANCHOR: release
pub(crate) fn release(path: &Path) -> Result<()> {
    const REFUSED: &str = "the container cannot be started";
    let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let fifo = match open(path, flags, Mode::empty()) {
        Err(Errno::ENXIO) => bail!("{REFUSED}: its init has ended"),
        Err(Errno::ENOENT) => bail!("{REFUSED}: it was started already"),
        result => {
            result.in_call(|| format!("open({path:?}, O_WRONLY|O_NONBLOCK)"))?
        }
    };
    match unlink(path) {
        Err(Errno::ENOENT) => bail!("{REFUSED}: it was started already"),
        result => result.in_call(|| format!("unlink({path:?})"))?,
    }
    write(&fifo, b"s").in_call(|| format!("write({path:?}, \"s\")"))?;
    Ok(())
}
// ANCHOR_END: release

/// Init's wait for `start`.
pub(crate) struct Wait<'a> {
    fifo: BorrowedFd<'a>,
    signals: SignalFd,
}

impl<'a> Wait<'a> {
    /// Makes init heed signals. **Before** it says that it is ready: from then
    /// on somebody may send one, and the kernel drops what the first process of
    /// a pid namespace neither handles nor blocks.
    ///
    /// # Errors
    /// EMFILE: the configuration leaves no descriptor for it.
    ///
    /// Source: pid_namespaces(7), "The namespace init process"; signalfd(2)
    pub(crate) fn prepare(fifo: BorrowedFd<'a>) -> Result<Self> {
        let mut deadly = SigSet::all();
        HARMLESS.into_iter().for_each(|signal| deadly.remove(signal));
        deadly
            .thread_block()
            .in_call(|| "sigprocmask(SIG_BLOCK, ..)".into())?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&deadly, flags)
            .in_call(|| "signalfd(..)".into())?;
        Ok(Self { fifo, signals })
    }

    /// Waits until `start` has written.
    pub(crate) fn wait(self) -> Result<Event> {
        let mut events = [
            PollFd::new(self.fifo, PollFlags::POLLIN),
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
        ];
        loop {
            match poll(&mut events, PollTimeout::NONE) {
                // Stopped and continued.
                Err(Errno::EINTR) => continue,
                result => result.in_call(|| "poll([fifo, signalfd])".into())?,
            };
            let signal = self.signals.read_signal();
            if let Some(signal) = signal.in_call(|| "read(signalfd)".into())? {
                return Ok(Event::Signal(signal.ssi_signo as i32));
            }
            // The byte itself is not needed: the FIFO goes with init.
            if events[0].any() == Some(true) {
                return Ok(Event::Start);
            }
        }
    }
}

/// What ends init's wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// `start` was called.
    Start,
    /// A signal that ends a program which does not handle it. To be killed
    /// before the start is what everybody expects of a created container.
    Signal(i32),
}

/// Signals that do nothing, or only stop, when a program does not handle them.
///
/// Source: signal(7), "Standard signals", column "Action"
const HARMLESS: [Signal; 7] = [
    Signal::SIGCHLD,
    Signal::SIGCONT,
    Signal::SIGURG,
    Signal::SIGWINCH,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
];
