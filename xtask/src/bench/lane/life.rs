//! One container from its beginning to its end: by one command, `run`, or by
//! those of an engine, `create`, `start` and `delete`.

use super::command::{read_pid, reap, timed, weighed};
use crate::bench::contender::{Contender, unshared};
use crate::bundle::Bundles;
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// `run` in the configuration that runc proposes.
pub(in crate::bench) struct Run {
    bundle: PathBuf,
}

impl Run {
    pub(super) fn new(bundles: &Bundles) -> Run {
        Run { bundle: bundles.default() }
    }

    fn command(&self, contender: &Contender) -> Command {
        let Some(mut run) = contender.verb("run") else {
            return contender.run_true(&self.bundle.join("rootfs"));
        };
        run.arg("--bundle").arg(&self.bundle).arg("bench");
        run
    }

    pub(super) fn turn(&self, contender: &Contender) -> Result<Duration> {
        timed(self.command(contender))
    }

    pub(super) fn memory(&self, contender: &Contender) -> Result<Option<u64>> {
        weighed(&self.command(contender), &self.bundle).map(Some)
    }
}

/// What an engine calls, in the configuration that podman writes.
pub(in crate::bench) struct Lifecycle {
    bundle: PathBuf,
    pid_file: PathBuf,
}

impl Lifecycle {
    pub(super) fn new(bundles: &Bundles) -> Lifecycle {
        let bundle = bundles.podman();
        Lifecycle { pid_file: bundle.join("pid"), bundle }
    }

    fn create(&self, contender: &Contender) -> Option<Command> {
        let mut create = contender.verb("create")?;
        create.arg("--bundle").arg(&self.bundle);
        create.arg("--pid-file").arg(&self.pid_file).arg("bench");
        Some(create)
    }

    pub(super) fn turn(&self, contender: &Contender) -> Result<Duration> {
        let Some(create) = self.create(contender) else {
            return timed(unshared(&self.bundle.join("rootfs/true")));
        };
        let begin = Instant::now();
        timed(create)?;
        let pid = read_pid(&self.pid_file)?;
        self.then(contender, "start", |command| timed(command).map(drop))?;
        reap(pid)?;
        self.then(contender, "delete", |command| timed(command).map(drop))?;
        Ok(begin.elapsed())
    }

    /// The most that one of the three has had.
    pub(super) fn memory(&self, contender: &Contender) -> Result<Option<u64>> {
        let weigh = |command: Command| weighed(&command, &self.bundle);
        let Some(create) = self.create(contender) else {
            return weigh(unshared(&self.bundle.join("rootfs/true"))).map(Some);
        };
        let create = weigh(create)?;
        let pid = read_pid(&self.pid_file)?;
        let start = self.then(contender, "start", weigh)?;
        reap(pid)?;
        let delete = self.then(contender, "delete", weigh)?;
        Ok([Some(create), start, delete].into_iter().flatten().max())
    }

    fn then<T>(
        &self,
        contender: &Contender,
        verb: &str,
        run: impl FnOnce(Command) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(mut command) = contender.verb(verb) else { return Ok(None) };
        command.arg("bench");
        run(command).map(Some)
    }
}
