//! The conversation between the runtime and init while `create` is at work:
//! "go", then "ready" or "failed, because"; between them, if there are hooks,
//! "built", and a second "go". Pipes, close-on-exec: if either
//! side dies, the other reads end-of-file instead of waiting for ever. (Not a
//! socket pair: if init fails before it has read "go", its words would be lost
//! to ECONNRESET.)

use anyhow::{Context, Result, anyhow, bail};
use namespaces::InCall;
use namespaces::process::Gate;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};

const BUILT: u8 = b'b';
const READY: u8 = b'r';
const FAILED: u8 = b'f';

/// Both ends, before the clone. Each process takes its own end and closes the
/// other's.
pub(crate) struct Sync {
    gate: Gate,
    pivot: Gate,
    answer: Option<PipeReader>,
    to_runtime: Option<PipeWriter>,
}

/// What the runtime holds.
pub(crate) struct RuntimeEnd {
    gate: Gate,
    pivot: Gate,
    answer: PipeReader,
}

/// What init holds.
pub(crate) struct InitEnd<'a> {
    gate: &'a Gate,
    pivot: &'a Gate,
    may_go: bool,
    to_runtime: PipeWriter,
}

impl Sync {
    /// Makes the pipes.
    pub(crate) fn new() -> Result<Self> {
        let (answer, to_runtime) =
            pipe().in_call(|| "pipe2(O_CLOEXEC)".into())?;
        let (gate, pivot) = (Gate::new()?, Gate::new()?);
        Ok(Self {
            gate,
            pivot,
            answer: Some(answer),
            to_runtime: Some(to_runtime),
        })
    }

    /// Closes init's end; for the runtime, after the clone.
    pub(crate) fn into_runtime_end(self) -> RuntimeEnd {
        let answer = self.answer.expect("only init's copy was taken");
        RuntimeEnd { gate: self.gate, pivot: self.pivot, answer }
    }

    /// Closes the runtime's end; for init. By reference, because the closure
    /// that becomes init borrows the pipes.
    pub(crate) fn init_end(&mut self) -> InitEnd<'_> {
        drop(self.answer.take());
        let to_runtime = self.to_runtime.take();
        let to_runtime = to_runtime.expect("init takes its end once, at birth");
        InitEnd {
            gate: &self.gate,
            pivot: &self.pivot,
            may_go: false,
            to_runtime,
        }
    }
}

impl RuntimeEnd {
    /// Tells init that its cgroup, its id maps and its state file are in place.
    fn go(&self) -> Result<()> {
        Ok(self.gate.open()?)
    }

    /// Lets init go on, and waits until it is ready. If it stops before the
    /// pivot, `hooks` are run while it waits.
    ///
    /// # Errors
    /// As of `hooks`. Init's own words, or that it ended without any.
    pub(crate) fn let_go(
        mut self,
        hooks: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        self.go()?;
        let mut word = [0];
        let count = self
            .answer
            .read(&mut word)
            .in_call(|| "read(init's answer)".into())?;
        if word != [BUILT] {
            return self.outcome(word[..count].to_vec());
        }
        hooks()?;
        self.pivot.open()?;
        self.outcome(Vec::new())
    }

    /// Waits until init is ready; it has begun with `message`.
    fn outcome(mut self, mut message: Vec<u8>) -> Result<()> {
        self.answer
            .read_to_end(&mut message)
            .in_call(|| "read(init's answer)".into())?;
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

impl InitEnd<'_> {
    /// Waits until the runtime says go; at once if it has said so before.
    ///
    /// # Errors
    /// The runtime was killed: there is nobody to run for.
    pub(crate) fn wait_for_go(&mut self) -> Result<()> {
        if !self.may_go {
            self.gate.wait().context("the runtime has ended")?;
            self.may_go = true;
        }
        Ok(())
    }

    /// Tells the runtime that the mounts are made, and waits until its hooks
    /// have run.
    ///
    /// # Errors
    /// The runtime was killed, or one of them has failed.
    pub(crate) fn wait_for_hooks(&mut self) -> Result<()> {
        self.to_runtime.write_all(&[BUILT]).context("the runtime has ended")?;
        self.pivot.wait().context("the runtime has ended")
    }

    /// Tells the runtime that everything is in place, and hangs up.
    ///
    /// # Errors
    /// The runtime was killed: nobody would ever start or delete the container.
    pub(crate) fn ready(mut self) -> Result<()> {
        self.to_runtime.write_all(&[READY]).context("the runtime has ended")
    }

    /// Tells the runtime why there will be no container, and hangs up.
    pub(crate) fn failed(mut self, error: &anyhow::Error) {
        let message = format!("{}{error:#}", FAILED as char);
        // If the runtime is gone too, nobody is left to be told.
        let _ = self.to_runtime.write_all(message.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ends in one process: what init would have closed stays open here.
    fn both(sync: &mut Sync) -> (PipeReader, InitEnd<'_>) {
        let answer = sync.answer.as_ref().unwrap().try_clone().unwrap();
        (answer, sync.init_end())
    }

    fn outcome(answer: PipeReader) -> Result<()> {
        let gate = || Gate::new().unwrap();
        RuntimeEnd { gate: gate(), pivot: gate(), answer }.let_go(|| Ok(()))
    }

    #[test]
    fn the_runtime_gets_inits_own_words_also_if_go_was_never_read() {
        let mut sync = Sync::new().unwrap();
        sync.gate.open().unwrap();
        let (answer, init) = both(&mut sync);
        init.failed(&anyhow!("inner").context("outer"));
        drop(sync);
        assert_eq!(outcome(answer).unwrap_err().to_string(), "outer: inner");
    }

    #[test]
    fn an_init_that_dies_silently_is_an_error() {
        let mut sync = Sync::new().unwrap();
        let (answer, init) = both(&mut sync);
        drop(init);
        assert!(outcome(answer).is_err());
    }

    #[test]
    fn a_runtime_that_dies_releases_init() {
        let mut sync = Sync::new().unwrap();
        // The gate's writing end is dropped by `wait` itself.
        assert!(sync.init_end().wait_for_go().is_err());
        let mut sync = Sync::new().unwrap();
        assert!(sync.init_end().ready().is_err());
    }
}
