//! What a process needs from outside when the host's files are out of its sight,
//! and takes along for that: descriptors, all close-on-exec. Most processes need
//! nothing.

use crate::container::Status;
use crate::labels::Proc;
use crate::process::Planned;
use crate::seccomp::{Agent, Introduction};
use crate::state::State;
use anyhow::Result;

/// Taken along by init, and by a process of `exec`.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    /// For its labels.
    pub(crate) proc: Option<Proc>,
    /// Whom its filter asks.
    pub(crate) agent: Option<Introduction>,
}

impl Outside {
    /// Takes it, while the host's /proc is in sight.
    ///
    /// # Errors
    /// What stands at /proc is no procfs.
    pub(crate) fn take(
        process: &Planned,
        agent: Option<Agent>,
        state: &State,
        status: Status,
    ) -> Result<Self> {
        let introduce = |agent: Agent| agent.introduce(state, status);
        Ok(Self {
            proc: Proc::for_labels(&process.labels)?,
            agent: agent.map(introduce).transpose()?,
        })
    }
}
