//! The sync pipe: the one answer to "create". The manager waits for it, so
//! exactly one line is written, whatever happens; the line is the frame, so
//! that nobody has to wait for end-of-file.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;

use anyhow::{Context, Result};
use namespaces::process;
use nix::unistd::Pid;
use serde::Serialize;

/// Names the descriptor of the sync pipe; without it, it is standard output.
/// The name is conmon's.
pub(crate) const SYNC_PIPE: &str = "_OCI_SYNCPIPE";

/// The first descriptor that is not one of the three standard ones.
const ABOVE_STDERR: i32 = 3;

/// Holds the pipe (or socket) on which the manager waits for the answer.
#[derive(Debug)]
pub(crate) struct SyncPipe(File);

#[derive(Serialize)]
struct Answer<'a> {
    data: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl SyncPipe {
    /// Takes the descriptor that the manager gave us, and makes everything that
    /// we inherited close-on-exec.
    ///
    /// To be called before anything else is opened. A runtime that inherits the
    /// pipe hands it to the container's init, which holds it open until
    /// `start`; a manager that reads to end-of-file would then wait for itself.
    ///
    /// # Errors
    /// `_OCI_SYNCPIPE` is no number, or nothing is open under it.
    ///
    /// Source: conmon, `_OCI_SYNCPIPE`
    pub(crate) fn take() -> Result<Self> {
        let number = match std::env::var(SYNC_PIPE) {
            Ok(text) => {
                text.parse().with_context(|| format!("{SYNC_PIPE}={text}"))?
            }
            Err(_) => io::stdout().as_raw_fd(),
        };
        let pipe = process::dup_inherited(number).context(SYNC_PIPE)?;
        if number >= ABOVE_STDERR {
            nix::unistd::close(number).context(SYNC_PIPE)?;
        }
        process::close_on_exec_from(ABOVE_STDERR as u32)?;
        Ok(Self(File::from(pipe)))
    }

    /// Answers that the container exists and waits for `start`.
    ///
    /// # Errors
    /// EIO, EBADF: the pipe is broken in a way that says nothing about the
    /// manager.
    pub(crate) fn created(self, container: Pid) -> io::Result<()> {
        self.answer(&Answer { data: container.as_raw(), message: None })
    }

    /// Answers that there is no container, and why.
    ///
    /// # Errors
    /// As for [`SyncPipe::created`].
    pub(crate) fn failed(self, why: &str) -> io::Result<()> {
        self.answer(&Answer { data: -1, message: Some(why) })
    }

    fn answer(mut self, answer: &Answer) -> io::Result<()> {
        let mut line = serde_json::to_vec(answer)?;
        line.push(b'\n');
        match self.0.write_all(&line) {
            // The manager died while it waited. The container is as good as
            // any: the next manager finds it by its files.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }
}
