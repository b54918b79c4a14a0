//! A pod sandbox: what the containers of a pod share. Here that is pinned namespaces, a host name, a /dev/shm and
//! a runtime; no process. It is ready while what was pinned is still there.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cri::{
    NamespaceMode, NamespaceOption, PodSandboxConfig, PodSandboxState,
};
use crate::error::{Error, Result};
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
    /// Returns what must be unique. Kubernetes counts `attempt` up to make a pod anew.
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
    /// Held for reading while a container is created in it, for writing while it is stopped or removed.
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

    /// Returns the state in CRI's words: ready only while all that was pinned is.
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

    /// Returns the directory that is /dev/shm in all containers: the host's with the host's ipc namespace.
    #[must_use]
    pub fn shm(&self) -> PathBuf {
        let pinned = self.record().pinned.contains(&Kind::Ipc);
        if pinned { shm_dir(&self.dir) } else { PathBuf::from("/dev/shm") }
    }
}

/// Returns where the namespaces of the sandbox with this volatile directory are pinned.
#[must_use]
pub fn namespaces_dir(dir: &Path) -> PathBuf {
    dir.join("ns")
}

/// Returns where its /dev/shm is mounted.
#[must_use]
pub fn shm_dir(dir: &Path) -> PathBuf {
    dir.join("shm")
}

/// Decides which namespaces a pod owns. With the host's network it has the host's name too, unless it asks for
/// its own.
///
/// # Errors
/// [`Error::Invalid`] or [`Error::Unsupported`]: a mode that makes no sense for a pod, or that needs a process
/// which every pod would have to pay for.
///
/// Source: CRI: api.proto, NamespaceOption
pub fn pinned_kinds(config: &PodSandboxConfig) -> Result<Vec<Kind>> {
    let options = namespace_options(config);
    let network = owned("network", options.network())?;
    let mut kinds = Vec::new();
    if network {
        kinds.push(Kind::Net);
    }
    if owned("ipc", options.ipc())? {
        kinds.push(Kind::Ipc);
    }
    if network || !config.hostname.is_empty() {
        kinds.push(Kind::Uts);
    }
    own_pid_namespace(&options)?;
    Ok(kinds)
}

/// Tells whether a container gets a pid namespace of its own; if not, it is in the host's.
///
/// # Errors
/// [`Error::Unsupported`]: a pid namespace shared in the pod.
pub fn own_pid_namespace(options: &NamespaceOption) -> Result<bool> {
    match options.pid() {
        NamespaceMode::Container => Ok(true),
        NamespaceMode::Node => Ok(false),
        // It dies with its first process, so it would take one that outlives all containers.
        mode @ (NamespaceMode::Pod | NamespaceMode::Target) => {
            Err(Error::Unsupported(format!(
                "namespace_options.pid {} (use CONTAINER, 1, or NODE, 2)",
                mode.as_str_name()
            )))
        }
    }
}

/// Returns the pod's options. One that says nothing gets what Kubernetes' users get: a pid namespace for each
/// container. (Protobuf's zero would be POD.)
#[must_use]
pub fn namespace_options(config: &PodSandboxConfig) -> NamespaceOption {
    let context =
        config.linux.as_ref().and_then(|linux| linux.security_context.as_ref());
    context
        .and_then(|context| context.namespace_options.clone())
        .unwrap_or_else(default_options)
}

/// What holds where the request says nothing about namespaces.
#[must_use]
pub fn default_options() -> NamespaceOption {
    NamespaceOption {
        pid: NamespaceMode::Container.into(),
        ..NamespaceOption::default()
    }
}

fn owned(what: &str, mode: NamespaceMode) -> Result<bool> {
    match mode {
        NamespaceMode::Pod => Ok(true),
        NamespaceMode::Node => Ok(false),
        NamespaceMode::Container | NamespaceMode::Target => {
            Err(Error::Invalid(format!(
                "namespace_options.{what} {}: a pod has POD, 0, or NODE, 2",
                mode.as_str_name()
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cri::{LinuxPodSandboxConfig, LinuxSandboxSecurityContext};

    fn config(network: NamespaceMode, pid: NamespaceMode) -> PodSandboxConfig {
        let options = NamespaceOption {
            network: network.into(),
            pid: pid.into(),
            ..Default::default()
        };
        let context = LinuxSandboxSecurityContext {
            namespace_options: Some(options),
            ..Default::default()
        };
        let linux = LinuxPodSandboxConfig {
            security_context: Some(context),
            ..Default::default()
        };
        PodSandboxConfig { linux: Some(linux), ..Default::default() }
    }

    #[test]
    fn a_pod_that_says_nothing_owns_all_three() {
        let kinds = pinned_kinds(&PodSandboxConfig::default()).unwrap();
        assert_eq!(kinds, [Kind::Net, Kind::Ipc, Kind::Uts]);
    }

    #[test]
    fn the_hosts_network_comes_with_the_hosts_name_unless_another_is_given() {
        let mut config = config(NamespaceMode::Node, NamespaceMode::Container);
        assert_eq!(pinned_kinds(&config).unwrap(), [Kind::Ipc]);
        config.hostname = "web".to_owned();
        assert_eq!(pinned_kinds(&config).unwrap(), [Kind::Ipc, Kind::Uts]);
    }

    #[test]
    fn modes_that_a_pod_cannot_have_are_refused_by_name() {
        let error = |network, pid| {
            pinned_kinds(&config(network, pid)).unwrap_err().to_string()
        };
        use NamespaceMode::{Container, Pod, Target};
        assert!(
            error(Container, Container)
                .starts_with("namespace_options.network CONTAINER:")
        );
        for mode in [Pod, Target] {
            let error = error(Pod, mode);
            assert!(
                error.contains("namespace_options.pid")
                    && error.contains("not supported"),
                "{error}"
            );
        }
    }
}
