//! A pod sandbox: what the containers of a pod share. Here that is pinned
//! namespaces, a host name, a /dev/shm and a runtime; no process. It is ready
//! while what was pinned is still there.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cri::{PodSandboxConfig, PodSandboxState};
use crate::pin::{self, Kind};
use crate::runtimes::Handler;

/// What was asked and what we did about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// 64 hexadecimal digits.
    pub id: String,
    /// The runtime of all its containers.
    pub handler: Handler,
    /// How far we are.
    pub phase: Phase,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// The namespaces that its containers join; others stay the host's.
    pub pinned: Vec<Kind>,
    /// The request, in CRI's words.
    pub config: PodSandboxConfig,
}

/// Our part in a sandbox's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Between two steps of run; found at start, it is undone.
    Creating,
    /// Containers can be created in it.
    Ready,
    /// Its containers were stopped and its namespaces let go.
    Stopped,
    /// Between two steps of remove; found at start, it is finished.
    Removing,
}

impl Record {
    /// Returns what must be unique. Kubernetes counts `attempt` up to make a
    /// pod anew.
    #[must_use]
    pub fn name(&self) -> String {
        let pod = self.config.metadata.clone().unwrap_or_default();
        format!("{}_{}_{}_{}", pod.name, pod.namespace, pod.uid, pod.attempt)
    }
}

/// One sandbox.
#[derive(Debug)]
pub struct Sandbox {
    record: Mutex<Record>,
    dir: PathBuf,
    /// Held for reading while a container is created in it, for writing while
    /// it is stopped or removed.
    pub operation: tokio::sync::RwLock<()>,
}

impl Sandbox {
    /// Makes a sandbox of a record; `dir` is its volatile directory.
    #[must_use]
    pub fn new(record: Record, dir: PathBuf) -> Self {
        Self {
            record: Mutex::new(record),
            dir,
            operation: tokio::sync::RwLock::default(),
        }
    }

    /// Returns a copy of the record.
    #[must_use]
    pub fn record(&self) -> Record {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how far we are; saving it is the caller's.
    pub fn set_phase(&self, phase: Phase) -> Record {
        let mut record =
            self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.phase = phase;
        record.clone()
    }

    /// Returns the state in CRI's words: ready only while all that was pinned
    /// is.
    ///
    /// Source: CRI: api.proto, PodSandboxState
    #[must_use]
    pub fn state(&self) -> PodSandboxState {
        let record = self.record();
        let pinned = || {
            record
                .pinned
                .iter()
                .all(|kind| pin::is_pinned(&self.namespace(*kind)))
        };
        match record.phase {
            Phase::Ready if pinned() => PodSandboxState::SandboxReady,
            Phase::Ready
            | Phase::Creating
            | Phase::Stopped
            | Phase::Removing => PodSandboxState::SandboxNotready,
        }
    }

    /// Returns the file that a namespace is pinned at.
    #[must_use]
    pub fn namespace(&self, kind: Kind) -> PathBuf {
        namespaces_dir(&self.dir).join(kind.name())
    }

    /// Returns the directory that is /dev/shm in all containers: the host's
    /// with the host's ipc namespace.
    #[must_use]
    pub fn shm(&self) -> PathBuf {
        let pinned = self.record().pinned.contains(&Kind::Ipc);
        if pinned { shm_dir(&self.dir) } else { PathBuf::from("/dev/shm") }
    }
}

/// Returns where the namespaces of the sandbox with this volatile directory are
/// pinned.
#[must_use]
pub fn namespaces_dir(dir: &Path) -> PathBuf {
    dir.join("ns")
}

/// Returns where its /dev/shm is mounted.
#[must_use]
pub fn shm_dir(dir: &Path) -> PathBuf {
    dir.join("shm")
}
