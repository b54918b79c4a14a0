//! `--pidfd-socket`: the engine gets a handle on the process from the one who
//! made it. A pid from `--pid-file` may be somebody else's by the time that the
//! engine opens it.

use anyhow::{Context, Result};
use namespaces::InCall;
use namespaces::process::{Child, send_fd};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The engine's end is there.
#[derive(Debug)]
pub(crate) struct PidfdSocket(UnixStream);

impl PidfdSocket {
    /// Connects, before anything is made that would have to be undone.
    ///
    /// # Errors
    /// ENOENT, ECONNREFUSED: nobody listens on the socket.
    ///
    /// Source: unix(7)
    pub(crate) fn connect(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path)
            .in_call(|| format!("connect({path:?})"))
            .context("--pidfd-socket")?;
        Ok(Self(stream))
    }

    /// Sends the handle, with the word for the kind of process that runc
    /// sends: `standard` for init, `setns` for one of `exec`.
    ///
    /// # Errors
    /// EPIPE: the engine has hung up.
    ///
    /// Source: runc 1.2 (2024-10), `--pidfd-socket`; pidfd_open(2)
    pub(crate) fn send(&self, kind: &str, child: &Child) -> Result<()> {
        send_fd(self.0.as_fd(), kind.as_bytes(), child.pidfd())
            .context("--pidfd-socket")
    }
}
