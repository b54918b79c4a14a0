//! Which namespaces a pod owns, which a container has for itself, and which
//! stay the host's. Pure; pin.rs makes them.

use crate::cri::{NamespaceMode, NamespaceOption, PodSandboxConfig};
use crate::error::{Error, Result};
use crate::pin::Kind;

/// Decides which namespaces a pod owns. With the host's network it has the
/// host's name too, unless it asks for its own.
///
/// # Errors
/// [`Error::Invalid`] or [`Error::Unsupported`]: a mode that makes no sense for
/// a pod, or that needs a process which every pod would have to pay for.
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

/// Tells whether a container gets a pid namespace of its own; if not, it is in
/// the host's.
///
/// # Errors
/// [`Error::Unsupported`]: a pid namespace shared in the pod.
pub fn own_pid_namespace(options: &NamespaceOption) -> Result<bool> {
    match options.pid() {
        NamespaceMode::Container => Ok(true),
        NamespaceMode::Node => Ok(false),
        // It dies with its first process, so it would take one that outlives
        // all containers.
        mode @ (NamespaceMode::Pod | NamespaceMode::Target) => {
            Err(Error::Unsupported(format!(
                "namespace_options.pid {} (use CONTAINER, 1, or NODE, 2)",
                mode.as_str_name()
            )))
        }
    }
}

/// Returns the pod's options. One that says nothing gets what Kubernetes' users
/// get: a pid namespace for each container. (Protobuf's zero would be POD.)
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
