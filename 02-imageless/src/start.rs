//! The FIFO between `create` and `start`: init waits on it, `start` writes a byte and removes it.
//!
//! Init is the reader, over a descriptor from before its birth, so it needs no path and no /proc in the container;
//! and if init has ended, the writer's open(2) says so (ENXIO) instead of waiting for ever.

use anyhow::{Context, Result, bail};
use namespaces::InCall;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, write};
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Makes the FIFO and opens the end that init will read.
///
/// # Errors
/// EEXIST: somebody else uses the state directory.
///
/// Source: fifo(7)
pub(crate) fn make_fifo(path: &Path) -> Result<OwnedFd> {
    mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR)
        .in_call(|| format!("mkfifo({path:?})"))?;
    // Non-blocking, because open(2) would wait for a writer, which comes only with `start`.
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    Ok(open(path, flags, Mode::empty())
        .in_call(|| format!("open({path:?}, O_RDONLY|O_NONBLOCK)"))?)
}

/// Lets init go on. Of two at the same time, the one that removes the FIFO has started the container.
///
/// # Errors
/// "cannot be started", because another `start` was faster or init has ended.
pub(crate) fn release(path: &Path) -> Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let fifo = match open(path, flags, Mode::empty()) {
        Err(Errno::ENXIO) => {
            bail!("the container cannot be started: its init has ended")
        }
        Err(Errno::ENOENT) => {
            bail!("the container cannot be started: it was started already")
        }
        result => {
            result.in_call(|| format!("open({path:?}, O_WRONLY|O_NONBLOCK)"))?
        }
    };
    fs::remove_file(path)
        .context("the container cannot be started: it was started already")?;
    write(&fifo, b"s").in_call(|| format!("write({path:?}, \"s\")"))?;
    Ok(())
}

/// Waits, in init, until `start` has written.
///
/// # Errors
/// The number of a signal that ends a program which does not handle it. The kernel itself would not do that to the
/// first process of a pid namespace, and a container that cannot be killed before its start surprises everybody.
pub(crate) fn wait(fifo: BorrowedFd<'_>) -> Result<(), i32> {
    let signals = deadly_signals();
    let signals = signals.as_ref().map_err(|_| nix::libc::SIGKILL)?;
    let mut events = [
        PollFd::new(fifo, PollFlags::POLLIN),
        PollFd::new(signals.as_fd(), PollFlags::POLLIN),
    ];
    loop {
        match poll(&mut events, PollTimeout::NONE) {
            Ok(_) => {}
            // Stopped and continued.
            Err(Errno::EINTR) => continue,
            Err(_) => return Err(nix::libc::SIGKILL),
        }
        if let Ok(Some(signal)) = signals.read_signal() {
            return Err(signal.ssi_signo as i32);
        }
        if events[0].any() == Some(true) {
            return Ok(());
        }
    }
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

fn deadly_signals() -> nix::Result<SignalFd> {
    let mut deadly = SigSet::all();
    HARMLESS.into_iter().for_each(|signal| deadly.remove(signal));
    deadly.thread_block()?;
    SignalFd::with_flags(
        &deadly,
        SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK,
    )
}
