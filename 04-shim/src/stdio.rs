//! The container's standard output and error: two pipes. The runtime gets their
//! write ends and leaves them to the container process; the shim keeps the read
//! ends for as long as there is a container. That is why a container does not
//! notice that the manager has gone: nobody who reads from it has.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, BorrowedFd};

use namespaces::{InCall, SyscallError};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::log::Stream;

/// Bytes read at once: half of what a pipe holds by default.
const READ_SIZE: usize = 32 * 1024;

/// The read ends; one that has reached its end is closed.
#[derive(Debug)]
pub(crate) struct Stdio {
    stdout: Option<PipeReader>,
    stderr: Option<PipeReader>,
    buffer: Vec<u8>,
}

/// The write ends, for the runtime. All copies must be closed here, or the
/// pipes never reach their end.
#[derive(Debug)]
pub(crate) struct WriteEnds {
    /// For descriptor 1.
    pub(crate) stdout: PipeWriter,
    /// For descriptor 2.
    pub(crate) stderr: PipeWriter,
}

impl Stdio {
    /// Makes both pipes.
    ///
    /// # Errors
    /// EMFILE, ENFILE: no descriptor is left.
    pub(crate) fn new() -> Result<(Self, WriteEnds), SyscallError> {
        let ((out, stdout), (err, stderr)) = (pipe()?, pipe()?);
        let read_ends = Self {
            stdout: Some(out),
            stderr: Some(err),
            buffer: vec![0; READ_SIZE],
        };
        Ok((read_ends, WriteEnds { stdout, stderr }))
    }

    /// Returns the pipes that have not reached their end.
    pub(crate) fn open(
        &self,
    ) -> impl Iterator<Item = (Stream, BorrowedFd<'_>)> {
        let pipes =
            [(Stream::Stdout, &self.stdout), (Stream::Stderr, &self.stderr)];
        pipes
            .into_iter()
            .filter_map(|(stream, pipe)| Some((stream, pipe.as_ref()?.as_fd())))
    }

    /// Reads what is there, without waiting. `None`: nothing is, or the end is
    /// reached and the pipe now closed.
    pub(crate) fn read(&mut self, stream: Stream) -> Option<&[u8]> {
        let pipe = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        match pipe.as_mut()?.read(&mut self.buffer) {
            Ok(0) => *pipe = None,
            Ok(length) => return Some(&self.buffer[..length]),
            // Nothing there, or a stop and continue of this process: poll(2)
            // tells when to come again.
            Err(error)
                if [Errno::EAGAIN, Errno::EINTR].contains(&errno(&error)) => {}
            // A pipe gives no other error; if it does, there is nothing more to
            // get from it.
            Err(_) => *pipe = None,
        }
        None
    }

    /// Returns how much a pipe can hold: all that a process which has ended can
    /// have left in it.
    pub(crate) fn capacity(&self, stream: Stream) -> usize {
        let size =
            self.open().find(|(open, _)| *open == stream).map(|(_, pipe)| {
                // Cannot fail on a pipe; with 0 we would read nothing, so take
                // the default of pipe(7).
                fcntl(pipe, FcntlArg::F_GETPIPE_SZ)
                    .map_or(65_536, |size| size as usize)
            });
        size.unwrap_or(0)
    }
}

fn pipe() -> Result<(PipeReader, PipeWriter), SyscallError> {
    let (reader, writer) = io::pipe().in_call(|| "pipe2(O_CLOEXEC)".into())?;
    // Belongs to the open file description of this end alone: the container's
    // end keeps blocking, as programs expect.
    fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
        .in_call(|| "fcntl(F_SETFL, O_NONBLOCK)".into())?;
    Ok((reader, writer))
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}
