//! A container as the manager knows it: what was asked and what we did (the
//! record, kept in state.json), and what became of the process (observed, never
//! kept). Its CRI state is a function of the two, in one place.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use oci_spec::runtime::User;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::cri::{ContainerConfig, ContainerState};
use crate::exit::Exit;
use crate::runtimes::Handler;

/// What was asked and what we did about it. Written to disk before each step
/// that a crash could cut in two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// 64 hexadecimal digits.
    pub id: String,
    /// The pod sandbox that it belongs to.
    pub sandbox_id: String,
    /// The sandbox's runtime.
    pub handler: Handler,
    /// How far we are.
    pub phase: Phase,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its program was started.
    pub started_at: Option<Timestamp>,
    /// When its end was noticed, if its shim was killed and could not tell.
    pub lost_at: Option<Timestamp>,
    /// The log, absolute.
    pub log: PathBuf,
    /// Who it runs as: names were looked up when it was created.
    pub user: User,
    /// The request, in CRI's words.
    pub config: ContainerConfig,
}

/// Our part in a container's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Between two steps of create; found at start, it is undone.
    Creating,
    /// The runtime's init waits for `start`.
    Created,
    /// `start` was called and has not returned; found at start, the runtime is
    /// asked.
    Starting,
    /// The program was started.
    Started,
    /// Between two steps of remove; found at start, it is finished.
    Removing,
}

/// What became of the container process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Process {
    /// It lives, and its shim.
    Alive,
    /// It lives; its shim was killed. It can be stopped, its exit code will be
    /// lost.
    Unmonitored,
    /// It has ended.
    Ended(Exit),
    /// Its shim was killed, and the runtime does not answer.
    Unknown(String),
}

impl Record {
    /// Returns what must be unique: a name within the pod. Kubernetes counts
    /// `attempt` up to start it anew.
    #[must_use]
    pub fn name(&self) -> String {
        let metadata = self.config.metadata.clone().unwrap_or_default();
        format!("{}_{}_{}", metadata.name, self.sandbox_id, metadata.attempt)
    }
}

/// One container. `record` is locked for moments only, and `process` never;
/// `operation` is held by requests that change the container.
#[derive(Debug)]
pub struct Container {
    id: String,
    record: Mutex<Record>,
    process: watch::Sender<Process>,
    /// Held for writing by start and remove; for reading by stop, so that an
    /// impatient stop can overtake a patient one.
    pub operation: tokio::sync::RwLock<()>,
}

impl Container {
    /// Makes a container of a record and a first look at its process.
    #[must_use]
    pub fn new(record: Record, process: Process) -> Self {
        Self {
            id: record.id.clone(),
            record: Mutex::new(record),
            process: watch::Sender::new(process),
            operation: tokio::sync::RwLock::default(),
        }
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns a copy of the record.
    #[must_use]
    pub fn record(&self) -> Record {
        self.lock().clone()
    }

    /// Locks the record. Never held while anything waits.
    pub fn lock(&self) -> MutexGuard<'_, Record> {
        // A record is replaced as a whole or by single fields: never half.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what was last observed of the process.
    #[must_use]
    pub fn process(&self) -> Process {
        self.process.borrow().clone()
    }

    /// Publishes what was observed.
    pub fn observed(&self, process: Process) {
        self.process.send_replace(process);
    }

    /// Subscribes to what will be observed.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Process> {
        self.process.subscribe()
    }

    /// Returns the exit, once there is one.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        match &*self.process.borrow() {
            Process::Ended(exit) => Some(exit.clone()),
            Process::Alive | Process::Unmonitored | Process::Unknown(_) => None,
        }
    }

    /// Returns the state in CRI's words.
    #[must_use]
    pub fn state(&self) -> ContainerState {
        state(self.lock().phase, &self.process.borrow())
    }
}

/// The one place that says what a container's state is.
///
/// Source: CRI: api.proto, ContainerState
fn state(phase: Phase, process: &Process) -> ContainerState {
    match (process, phase) {
        (Process::Ended(_), _) => ContainerState::ContainerExited,
        (Process::Unknown(_), _) => ContainerState::ContainerUnknown,
        (
            Process::Alive | Process::Unmonitored,
            Phase::Creating | Phase::Created | Phase::Starting,
        ) => ContainerState::ContainerCreated,
        (
            Process::Alive | Process::Unmonitored,
            Phase::Started | Phase::Removing,
        ) => ContainerState::ContainerRunning,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::ExitReason;

    fn ended(code: i32, reason: ExitReason) -> Process {
        Process::Ended(Exit {
            code,
            reason,
            signal: None,
            finished_at: Timestamp::UNIX_EPOCH,
        })
    }

    #[test]
    fn an_exit_that_was_seen_wins_over_what_we_remember() {
        for phase in
            [Phase::Created, Phase::Starting, Phase::Started, Phase::Removing]
        {
            let state = state(phase, &ended(0, ExitReason::Exited));
            assert_eq!(state, ContainerState::ContainerExited, "{phase:?}");
        }
    }

    #[test]
    fn a_live_process_is_created_until_start_has_returned() {
        assert_eq!(
            state(Phase::Starting, &Process::Alive),
            ContainerState::ContainerCreated
        );
        assert_eq!(
            state(Phase::Started, &Process::Alive),
            ContainerState::ContainerRunning
        );
        assert_eq!(
            state(Phase::Started, &Process::Unmonitored),
            ContainerState::ContainerRunning
        );
    }
}
