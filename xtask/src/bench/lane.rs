//! The lanes: each a question to the contenders, that is a few commands to run
//! in a row, and what memory is in it.

mod command;
mod crowd;
mod exec;
mod life;

use super::contender::Contender;
use crate::bundle::Bundles;
use anyhow::Result;
use clap::ValueEnum;
use std::time::Duration;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lane {
    /// `run` of a static true, in the configuration that runc proposes
    Run,
    /// create, start, its end, delete: in podman's configuration
    Lifecycle,
    /// `exec` of a static true in a running container
    Exec,
    /// A hundred containers at once: create all, start all, delete all
    Crowd,
}

impl Lane {
    pub(super) const ALL: [Lane; 4] =
        [Lane::Run, Lane::Lifecycle, Lane::Exec, Lane::Crowd];

    /// Its name on the command line.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Lane::Run => "run",
            Lane::Lifecycle => "lifecycle",
            Lane::Exec => "exec",
            Lane::Crowd => "crowd",
        }
    }

    /// What it measures, in a few words.
    pub(super) fn title(self) -> &'static str {
        match self {
            Lane::Run => "run of a static true, runc's default config.json",
            Lane::Lifecycle => {
                "create, start, end, delete: podman's config.json"
            }
            Lane::Exec => "exec of a static true in a running container",
            Lane::Crowd => "100 containers at once: create, start, delete",
        }
    }

    /// What memory is, in a few words.
    pub(super) fn memory(self) -> &'static str {
        match self {
            Lane::Run | Lane::Lifecycle | Lane::Exec => "peak RSS",
            Lane::Crowd => "waiting",
        }
    }

    /// How many turns everybody has, of so many.
    pub(super) fn turns(self, runs: u32) -> u32 {
        match self {
            Lane::Run | Lane::Lifecycle | Lane::Exec => runs,
            Lane::Crowd => runs.div_ceil(10),
        }
    }

    /// Turns before the clock counts: caches fill, directories of the root file
    /// system appear.
    pub(super) fn warm_up(self) -> u32 {
        match self {
            Lane::Run | Lane::Lifecycle | Lane::Exec => 3,
            Lane::Crowd => 1,
        }
    }

    /// Makes what has to be there before the first turn.
    ///
    /// # Errors
    /// A contender fails.
    pub(super) fn prepare(
        self,
        bundles: &Bundles,
        contenders: &[Contender],
    ) -> Result<Bench> {
        Ok(match self {
            Lane::Run => Bench::Run(life::Run::new(bundles)),
            Lane::Lifecycle => Bench::Lifecycle(life::Lifecycle::new(bundles)),
            Lane::Exec => Bench::Exec(exec::Exec::new(bundles, contenders)?),
            Lane::Crowd => Bench::Crowd(crowd::Crowd::new(bundles)),
        })
    }
}

/// A lane, ready to be run in.
pub(super) enum Bench {
    Run(life::Run),
    Lifecycle(life::Lifecycle),
    Exec(exec::Exec),
    Crowd(crowd::Crowd),
}

impl Bench {
    /// Gives the contender a turn, and tells how long it took.
    ///
    /// # Errors
    /// The contender fails.
    pub(super) fn turn(&self, contender: &Contender) -> Result<Duration> {
        match self {
            Bench::Run(lane) => lane.turn(contender),
            Bench::Lifecycle(lane) => lane.turn(contender),
            Bench::Exec(lane) => lane.turn(contender),
            Bench::Crowd(lane) => lane.turn(contender),
        }
    }

    /// Weighs the contender: kibibytes; `None` if there is nothing to weigh.
    ///
    /// # Errors
    /// The contender fails.
    pub(super) fn memory(&self, contender: &Contender) -> Result<Option<u64>> {
        match self {
            Bench::Run(lane) => lane.memory(contender),
            Bench::Lifecycle(lane) => lane.memory(contender),
            Bench::Exec(lane) => lane.memory(contender),
            Bench::Crowd(lane) => lane.memory(contender),
        }
    }

    /// Removes what [`Lane::prepare`] has made.
    ///
    /// # Errors
    /// A contender fails.
    pub(super) fn clean_up(self) -> Result<()> {
        match self {
            Bench::Run(_) | Bench::Lifecycle(_) | Bench::Crowd(_) => Ok(()),
            Bench::Exec(lane) => lane.clean_up(),
        }
    }
}
