//! A second FIFO between init and `start`, made only if there are hooks around
//! the start: init tells on it that one has failed, or execve(2) itself has. If
//! not, it says nothing: execve(2) closes its end, and `start` knows that the
//! program runs.

use anyhow::{Result, anyhow};
use namespaces::InCall;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::stat::Mode;
use nix::unistd::write;
use std::fs::File;
use std::io::Read;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

/// What `start` waits for.
#[derive(Debug)]
pub(crate) struct Outcome(OwnedFd);

impl Outcome {
    /// Opens the FIFO; `None` if this container has none. **Before** init is
    /// let go: what is written while nobody reads is lost with its writer.
    ///
    /// # Errors
    /// EACCES: the state directory is somebody else's.
    ///
    /// Source: fifo(7)
    pub(crate) fn listen(path: &Path) -> Result<Option<Self>> {
        // Not blocking, else open(2) would wait for an init that has ended.
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let fifo = match open(path, flags, Mode::empty()) {
            Err(Errno::ENOENT) => return Ok(None),
            result => result.in_call(|| format!("open({path:?}, O_RDONLY)"))?,
        };
        fcntl(&fifo, FcntlArg::F_SETFL(OFlag::empty()))
            .in_call(|| "fcntl(F_SETFL, 0)".into())?;
        Ok(Some(Self(fifo)))
    }

    /// Waits until init has become the program, or has ended.
    ///
    /// # Errors
    /// Init's own words.
    pub(crate) fn wait(self) -> Result<()> {
        let mut words = Vec::new();
        File::from(self.0)
            .read_to_end(&mut words)
            .in_call(|| "read(init's outcome)".into())?;
        if words.is_empty() {
            return Ok(());
        }
        Err(anyhow!("{}", String::from_utf8_lossy(&words)))
    }
}

/// Tells `start` why there will be no program. Runs in init.
pub(crate) fn failed(fifo: Option<BorrowedFd<'_>>, error: &anyhow::Error) {
    if let Some(fifo) = fifo {
        // If `start` was killed, nobody is left to be told.
        let _ = write(fifo, format!("{error:#}").as_bytes());
    }
}
