//! CRI's container config in, OCI's config.json out. Pure: what has to be
//! looked up (the pod's namespaces, the user's ids, our own limits) comes in
//! ready, so that each rule can be tested without a container.

mod capabilities;
mod mounts;
mod process;
mod resources;

use std::path::{Path, PathBuf};

use oci_spec::runtime::{
    Linux, LinuxBuilder, LinuxNamespace, LinuxNamespaceBuilder,
    LinuxNamespaceType, RootBuilder, Spec, SpecBuilder, User,
};

pub use self::capabilities::{Limits, known_capabilities};
use crate::cri::{ContainerConfig, LinuxContainerSecurityContext};
use crate::error::Result;

/// The version of the runtime-spec that config.json names. Older runtimes
/// refuse newer ones (crun 1.8 does 1.3), and nothing later is used.
const OCI_VERSION: &str = "1.0.2";

/// Everything that config.json depends on.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// What was asked.
    pub config: &'a ContainerConfig,
    /// The root file system, absolute, without symbolic links.
    pub rootfs: &'a Path,
    /// The user, as ids.
    pub user: User,
    /// The pod's part.
    pub pod: Pod,
    /// The cgroup, from the root of each hierarchy.
    pub cgroups_path: String,
    /// What we cannot give, because we do not have it.
    pub limits: &'a Limits,
}

/// What a container takes from its pod.
#[derive(Debug, Default)]
pub struct Pod {
    /// Namespaces to join, by the file that pins each.
    pub namespaces: Vec<(LinuxNamespaceType, PathBuf)>,
    /// Whether the container has a pid namespace of its own.
    pub own_pid: bool,
    /// The directory to mount at /dev/shm.
    pub shm: PathBuf,
}

/// Writes the config.json of a container.
///
/// # Errors
/// [`crate::error::Error::Invalid`]: the request contradicts itself; the
/// message names the field.
///
/// Source: runtime-spec: config.md, config-linux.md; CRI: api.proto,
/// ContainerConfig
pub fn spec(inputs: &Inputs<'_>) -> Result<Spec> {
    let security = security(inputs.config);
    let root = RootBuilder::default()
        .path(inputs.rootfs)
        .readonly(security.readonly_rootfs)
        .build()?;
    let mut spec = SpecBuilder::default()
        .version(OCI_VERSION)
        .root(root)
        .process(process::process(inputs, &security)?)
        .mounts(mounts::mounts(inputs.config, &inputs.pod.shm)?)
        .linux(linux(inputs, &security)?)
        .build()?;
    // The name was set when the uts namespace was pinned, for all of the pod.
    spec.set_hostname(None);
    Ok(spec)
}

/// Returns the security context; without one, all its defaults.
#[must_use]
pub fn security(config: &ContainerConfig) -> LinuxContainerSecurityContext {
    let linux = config.linux.as_ref();
    linux.and_then(|linux| linux.security_context.clone()).unwrap_or_default()
}

fn linux(
    inputs: &Inputs<'_>,
    security: &LinuxContainerSecurityContext,
) -> Result<Linux> {
    let asked = inputs.config.linux.as_ref().and_then(|l| l.resources.as_ref());
    // CRI says that both lists are passed on as they are: empty means that
    // nothing is masked.
    Ok(LinuxBuilder::default()
        .namespaces(namespaces(&inputs.pod)?)
        .cgroups_path(inputs.cgroups_path.as_str())
        .resources(resources::resources(asked)?)
        .masked_paths(security.masked_paths.clone())
        .readonly_paths(security.readonly_paths.clone())
        .build()?)
}

/// Joins what the pod owns, makes anew what is the container's own, and leaves
/// out what stays the host's.
fn namespaces(pod: &Pod) -> Result<Vec<LinuxNamespace>> {
    let own_pid = pod.own_pid.then_some(LinuxNamespaceType::Pid);
    let new = [LinuxNamespaceType::Mount, LinuxNamespaceType::Cgroup]
        .into_iter()
        .chain(own_pid);
    let mut namespaces = Vec::new();
    for kind in new {
        namespaces.push(LinuxNamespaceBuilder::default().typ(kind).build()?);
    }
    for (kind, path) in &pod.namespaces {
        let joined =
            LinuxNamespaceBuilder::default().typ(*kind).path(path.as_path());
        namespaces.push(joined.build()?);
    }
    Ok(namespaces)
}

/// A request that is complete and plain, for the tests of all parts.
#[cfg(test)]
fn plain() -> ContainerConfig {
    ContainerConfig {
        command: vec!["true".to_owned()],
        ..ContainerConfig::default()
    }
}

/// The config.json of a request, all else being plain.
#[cfg(test)]
fn spec_of(config: &ContainerConfig) -> Result<Spec> {
    let pod = Pod {
        namespaces: vec![(
            LinuxNamespaceType::Network,
            PathBuf::from("/pin/net"),
        )],
        own_pid: true,
        shm: PathBuf::from("/pin/shm"),
    };
    let limits = Limits {
        bounding: [
            oci_spec::runtime::Capability::Chown,
            oci_spec::runtime::Capability::Kill,
        ]
        .into(),
        oom_score_adj: 100,
    };
    spec(&Inputs {
        config,
        rootfs: Path::new("/rootfs"),
        user: User::default(),
        pod,
        cgroups_path: "/conman-1".to_owned(),
        limits: &limits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cri::LinuxContainerConfig;

    #[test]
    fn the_pods_namespaces_are_joined_and_the_containers_own_are_new() {
        let spec = spec_of(&plain()).unwrap();
        let linux = spec.linux().as_ref().unwrap();
        let namespaces = linux.namespaces().as_ref().unwrap();
        let found = |kind| namespaces.iter().find(|n| n.typ() == kind);
        let net = found(LinuxNamespaceType::Network).expect("joined");
        assert_eq!(net.path().as_deref(), Some(Path::new("/pin/net")));
        assert_eq!(found(LinuxNamespaceType::Pid).expect("new").path(), &None);
        assert!(
            found(LinuxNamespaceType::Ipc).is_none(),
            "not pinned: the host's"
        );
        assert_eq!(
            linux.cgroups_path().as_deref(),
            Some(Path::new("/conman-1"))
        );
    }

    #[test]
    fn root_and_masks_are_as_asked() {
        let context = LinuxContainerSecurityContext {
            readonly_rootfs: true,
            masked_paths: vec!["/proc/kcore".to_owned()],
            ..Default::default()
        };
        let linux = LinuxContainerConfig {
            security_context: Some(context),
            ..Default::default()
        };
        let spec = spec_of(&ContainerConfig { linux: Some(linux), ..plain() })
            .unwrap();
        assert_eq!(spec.hostname(), &None, "that is the pod's");
        let root = spec.root().as_ref().unwrap();
        assert_eq!(
            (root.path().as_path(), root.readonly()),
            (Path::new("/rootfs"), Some(true))
        );
        let masked = spec.linux().as_ref().unwrap().masked_paths();
        assert_eq!(masked.as_deref(), Some(&["/proc/kcore".to_owned()][..]));
    }
}
