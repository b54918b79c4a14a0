//! What a hook says: as much of it kept as will be quoted, however much it is.
//!
//! By a pipe, not a file: that would grow with a hook that never stops talking.
//! Whoever still holds its other end when the hook has ended, such as a daemon
//! that it made, keeps nobody waiting.

use anyhow::Result;
use namespaces::InCall;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, pipe};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Room for one long line.
const MOST: usize = 4096;

/// The end of what was said.
pub(super) struct Output {
    /// `None`: nobody can say any more.
    pipe: Option<PipeReader>,
    last: Vec<u8>,
}

impl Output {
    /// Makes the pipe; the second value is for the hook.
    pub(super) fn new() -> Result<(Self, PipeWriter)> {
        let (reader, writer) = pipe().in_call(|| "pipe2(O_CLOEXEC)".into())?;
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .in_call(|| "fcntl(F_SETFL, O_NONBLOCK)".into())?;
        Ok((Self { pipe: Some(reader), last: Vec::new() }, writer))
    }

    /// Listens until the hook of this handle has ended. `false`: it has not,
    /// within `limit`.
    pub(super) fn listen(
        &mut self,
        hook: BorrowedFd<'_>,
        limit: Option<Duration>,
    ) -> Result<bool> {
        // A time that no clock reaches is none.
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        while !self.wait(hook, end)? {
            if end.is_some_and(|end| Instant::now() >= end) {
                return Ok(false);
            }
            self.read()?;
        }
        // Its last words, and not a daemon's for ever: one pipe full.
        self.read()?;
        Ok(true)
    }

    /// Waits for words, the end of the hook, or that of its time; tells whether
    /// the hook has ended.
    fn wait(&self, hook: BorrowedFd<'_>, end: Option<Instant>) -> Result<bool> {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        // Up to the next millisecond, so as not to ask in vain before the end.
        let left = left.map(|left| left + Duration::from_millis(1));
        let left = left.map_or(PollTimeout::NONE, |left| {
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
        });
        let mut events = vec![PollFd::new(hook, PollFlags::POLLIN)];
        let words = self.pipe.as_ref();
        events.extend(words.map(|p| PollFd::new(p.as_fd(), PollFlags::POLLIN)));
        match poll(&mut events, left) {
            Err(nix::errno::Errno::EINTR) => Ok(false),
            result => {
                result.in_call(|| "poll([pidfd, pipe])".into())?;
                Ok(events[0].any() == Some(true))
            }
        }
    }

    fn read(&mut self) -> Result<()> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        let mut words = [0; 1 << 16];
        match pipe.read(&mut words) {
            Ok(0) => self.pipe = None,
            Ok(count) => {
                self.last.extend_from_slice(&words[..count]);
                let spare = self.last.len().saturating_sub(MOST);
                self.last.drain(..spare);
            }
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => {}
            Err(cause) => {
                Err(cause).in_call(|| "read(hook's output)".into())?;
            }
        }
        Ok(())
    }

    /// Gives the last line that is not empty.
    pub(super) fn last_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.last);
        let line = text.lines().rev().find(|line| !line.trim().is_empty());
        line.unwrap_or_default().trim().to_owned()
    }
}
