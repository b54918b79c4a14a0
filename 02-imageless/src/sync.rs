//! The conversation between the runtime and init while `create` is at work:
//! "go", then "ready" or "failed, because". A socket pair, close-on-exec: if
//! either side dies, the other reads end-of-file instead of waiting for ever.

use anyhow::{Context, Result, anyhow, bail};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

const GO: u8 = b'g';
const READY: u8 = b'r';
const FAILED: u8 = b'f';

/// Both ends, before the clone. Each process takes its own end and closes the
/// other's.
pub(crate) struct Sync {
    runtime: Option<UnixStream>,
    init: Option<UnixStream>,
}

/// What the runtime holds.
pub(crate) struct RuntimeEnd(UnixStream);

/// What init holds.
pub(crate) struct InitEnd {
    runtime: UnixStream,
    may_go: bool,
}

impl Sync {
    /// Makes the pair.
    pub(crate) fn pair() -> Result<Self> {
        let (runtime, init) =
            UnixStream::pair().context("socketpair(AF_UNIX, SOCK_STREAM)")?;
        Ok(Self { runtime: Some(runtime), init: Some(init) })
    }

    /// Closes init's end; for the runtime, after the clone.
    pub(crate) fn into_runtime_end(mut self) -> RuntimeEnd {
        RuntimeEnd(
            self.runtime.take().expect("taken only here, and `self` is gone"),
        )
    }

    /// Closes the runtime's end; for init. By reference, because the closure
    /// that becomes init borrows the pair.
    pub(crate) fn init_end(&mut self) -> InitEnd {
        drop(self.runtime.take());
        let runtime =
            self.init.take().expect("init takes its end once, at birth");
        InitEnd { runtime, may_go: false }
    }
}

impl RuntimeEnd {
    /// Tells init that its cgroup, its id maps and its state file are in place.
    pub(crate) fn go(&mut self) -> Result<()> {
        // Init may have failed and ended before it waited for us: `outcome`
        // then tells why, and that is the better error.
        match self.0.write_all(&[GO]) {
            Err(cause) if cause.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(cause.into())
            }
            _ => Ok(()),
        }
    }

    /// Waits until init is ready.
    ///
    /// # Errors
    /// Init's own words, or that it ended without any.
    pub(crate) fn outcome(mut self) -> Result<()> {
        let mut message = Vec::new();
        self.0.read_to_end(&mut message).context("read init's answer")?;
        match message.split_first() {
            Some((&READY, _)) => Ok(()),
            Some((_, reason)) => {
                Err(anyhow!("{}", String::from_utf8_lossy(reason)))
            }
            None => bail!(
                "init ended without a word: it was killed (is the memory \
                 limit too low?)"
            ),
        }
    }
}

impl InitEnd {
    /// Waits until the runtime says go; at once if it has said so before.
    ///
    /// # Errors
    /// The runtime was killed: there is nobody to run for.
    pub(crate) fn wait_for_go(&mut self) -> Result<()> {
        if !self.may_go {
            let mut byte = [0];
            self.runtime
                .read_exact(&mut byte)
                .context("the runtime has ended before init was set up")?;
            self.may_go = true;
        }
        Ok(())
    }

    /// Tells the runtime that everything is in place, and hangs up.
    pub(crate) fn ready(mut self) -> Result<()> {
        self.runtime
            .write_all(&[READY])
            .context("the runtime has ended before init was ready")
    }

    /// Tells the runtime why there will be no container, and hangs up.
    pub(crate) fn failed(mut self, error: &anyhow::Error) {
        let message = format!("{}{error:#}", FAILED as char);
        // If the runtime is gone too, nobody is left to be told.
        let _ = self.runtime.write_all(message.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_gets_inits_own_words() {
        let mut sync = Sync::pair().unwrap();
        let init =
            InitEnd { runtime: sync.init.take().unwrap(), may_go: false };
        init.failed(&anyhow!("inner").context("outer"));
        let error = sync.into_runtime_end().outcome().unwrap_err();
        assert_eq!(error.to_string(), "outer: inner");
    }

    #[test]
    fn an_init_that_dies_silently_is_an_error() {
        let mut sync = Sync::pair().unwrap();
        drop(sync.init.take());
        assert!(sync.into_runtime_end().outcome().is_err());
    }

    #[test]
    fn a_runtime_that_dies_releases_init() {
        let mut sync = Sync::pair().unwrap();
        assert!(sync.init_end().wait_for_go().is_err());
    }
}
