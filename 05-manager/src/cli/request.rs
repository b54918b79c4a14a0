//! What `conman run` asks of CRI: one pod, one container, the same name for
//! both. Pure.

use std::path::Path;

use oci_spec::runtime::{get_default_maskedpaths, get_default_readonly_paths};

use super::client::MADE_BY_RUN;
use super::run::{Args, Network};
use crate::cri::{
    ContainerConfig, ContainerMetadata, ImageSpec, KeyValue,
    LinuxContainerConfig, LinuxContainerSecurityContext, LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext, NamespaceMode, NamespaceOption,
    PodSandboxConfig, PodSandboxMetadata,
};
use crate::manager::new_id;

/// The pods of `conman run` have a Kubernetes namespace of their own, so that
/// no kubelet's pod has the same name.
const NAMESPACE: &str = "conman";

impl Args {
    /// Describes the pod. Its uid is its name, so that no two have the same.
    pub(super) fn pod(&self, name: &str) -> PodSandboxConfig {
        let metadata = PodSandboxMetadata {
            name: name.to_owned(),
            uid: name.to_owned(),
            namespace: NAMESPACE.to_owned(),
            attempt: 0,
        };
        let context = LinuxSandboxSecurityContext {
            namespace_options: Some(self.namespaces()),
            ..Default::default()
        };
        let linux = LinuxPodSandboxConfig {
            security_context: Some(context),
            ..Default::default()
        };
        PodSandboxConfig {
            metadata: Some(metadata),
            hostname: self.hostname.clone().unwrap_or_default(),
            annotations: [(MADE_BY_RUN.to_owned(), "true".to_owned())].into(),
            linux: Some(linux),
            ..Default::default()
        }
    }

    /// Describes the container. CRI masks nothing by itself; the paths are
    /// those that Docker hides.
    pub(super) fn container(&self, name: &str) -> ContainerConfig {
        let context = LinuxContainerSecurityContext {
            namespace_options: Some(self.namespaces()),
            masked_paths: get_default_maskedpaths(),
            readonly_paths: get_default_readonly_paths(),
            ..Default::default()
        };
        let linux = LinuxContainerConfig {
            security_context: Some(context),
            ..Default::default()
        };
        let metadata = ContainerMetadata { name: name.to_owned(), attempt: 0 };
        let image =
            ImageSpec { image: self.image.clone(), ..Default::default() };
        ContainerConfig {
            metadata: Some(metadata),
            image: Some(image),
            command: self.command.clone(),
            working_dir: self.workdir.clone().unwrap_or_default(),
            envs: self.env.clone(),
            linux: Some(linux),
            ..Default::default()
        }
    }

    fn namespaces(&self) -> NamespaceOption {
        let network = match self.network {
            Network::Host => NamespaceMode::Node,
            Network::None => NamespaceMode::Pod,
        };
        NamespaceOption {
            network: network.into(),
            pid: NamespaceMode::Container.into(),
            ipc: NamespaceMode::Pod.into(),
            ..Default::default()
        }
    }
}

/// Makes a name out of the program's and six random digits.
///
/// # Errors
/// No /dev/urandom.
pub(super) fn made_up_name(command: &[String]) -> anyhow::Result<String> {
    let program = command.first().map(Path::new).and_then(Path::file_name);
    let program = program.unwrap_or_default().to_string_lossy();
    Ok(format!("{program}-{}", &new_id()?[..6]))
}

/// Reads `K=V`; a bare `K` takes its value from our own environment, as with
/// docker.
pub(super) fn variable(text: &str) -> Result<KeyValue, String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, value.to_owned()),
        None => match std::env::var(text) {
            Ok(value) => (text, value),
            Err(error) => return Err(format!("{text}: {error}")),
        },
    };
    if key.is_empty() {
        return Err("the name is empty".to_owned());
    }
    Ok(KeyValue { key: key.to_owned(), value: value.into_bytes() })
}
