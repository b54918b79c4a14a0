//! What CRI can ask for and this manager does not do yet: refused by name. A
//! container that runs without the seccomp profile that was asked for is worse
//! than one that does not run.

use crate::cri::security_profile::ProfileType;
use crate::cri::{
    ContainerConfig, Mount, NamespaceMode, PodSandboxConfig, SecurityProfile,
    UserNamespace,
};
use crate::error::{Error, Result};
use crate::spec::security;

/// A field's name, and whether the request uses it.
type Row<T> = (&'static str, fn(&T) -> bool);

const SANDBOX: [Row<PodSandboxConfig>; 3] = [
    ("dns_config", |c| {
        c.dns_config.as_ref().is_some_and(|d| !d.servers.is_empty())
    }),
    ("port_mappings", |c| {
        c.port_mappings.iter().any(|port| port.host_port > 0)
    }),
    ("linux.sysctls", |c| {
        c.linux.as_ref().is_some_and(|linux| !linux.sysctls.is_empty())
    }),
];

const CONTAINER: [Row<ContainerConfig>; 12] = [
    ("tty", |c| c.tty),
    ("stdin", |c| c.stdin || c.stdin_once),
    ("devices", |c| !c.devices.is_empty()),
    ("CDI_devices", |c| !c.cdi_devices.is_empty()),
    ("mounts: image", |c| c.mounts.iter().any(|m| m.image.is_some())),
    ("mounts: id mappings", |c| c.mounts.iter().any(is_id_mapped)),
    ("mounts: recursive_read_only", |c| {
        c.mounts.iter().any(|m| m.recursive_read_only)
    }),
    ("security_context.privileged", |c| security(c).privileged),
    ("security_context.selinux_options", |c| {
        security(c).selinux_options.is_some()
    }),
    ("security_context.seccomp", |c| is_confined(security(c).seccomp.as_ref())),
    ("security_context.apparmor: a profile of this machine", |c| {
        security(c)
            .apparmor
            .is_some_and(|p| p.profile_type() == ProfileType::Localhost)
    }),
    ("namespace_options.userns_options", |c| {
        let options = security(c).namespace_options.unwrap_or_default();
        options.userns_options.as_ref().is_some_and(is_user_namespace)
    }),
];

/// Refuses a sandbox that asks for what is not there yet.
///
/// # Errors
/// [`Error::Unsupported`]: names the field.
pub fn sandbox(config: &PodSandboxConfig) -> Result<()> {
    refuse(&SANDBOX, config)
}

/// Refuses a container that asks for what is not there yet.
///
/// # Errors
/// [`Error::Unsupported`]: names the field.
pub fn container(config: &ContainerConfig) -> Result<()> {
    refuse(&CONTAINER, config)
}

fn refuse<T>(table: &[Row<T>], config: &T) -> Result<()> {
    match table.iter().find(|(_, used)| used(config)) {
        Some((field, _)) => Err(Error::Unsupported((*field).to_owned())),
        None => Ok(()),
    }
}

fn is_confined(profile: Option<&SecurityProfile>) -> bool {
    profile.is_some_and(|profile| {
        profile.profile_type() != ProfileType::Unconfined
    })
}

fn is_user_namespace(options: &UserNamespace) -> bool {
    options.mode() != NamespaceMode::Node
}

fn is_id_mapped(mount: &Mount) -> bool {
    !mount.uid_mappings.is_empty() || !mount.gid_mappings.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cri::{LinuxContainerConfig, LinuxContainerSecurityContext};

    fn with(context: LinuxContainerSecurityContext) -> ContainerConfig {
        let linux = LinuxContainerConfig {
            security_context: Some(context),
            ..Default::default()
        };
        ContainerConfig { linux: Some(linux), ..Default::default() }
    }

    #[test]
    fn a_terminal_is_refused_by_name() {
        let error =
            container(&ContainerConfig { tty: true, ..Default::default() })
                .unwrap_err();
        assert_eq!(error.to_string(), "tty: not supported yet");
    }

    #[test]
    fn a_confinement_that_is_not_there_is_refused_and_none_is_not() {
        let profile = |kind: ProfileType| SecurityProfile {
            profile_type: kind.into(),
            ..Default::default()
        };
        let seccomp = |kind| {
            with(LinuxContainerSecurityContext {
                seccomp: Some(profile(kind)),
                ..Default::default()
            })
        };
        assert!(container(&seccomp(ProfileType::RuntimeDefault)).is_err());
        assert!(container(&seccomp(ProfileType::Localhost)).is_err());
        assert!(container(&seccomp(ProfileType::Unconfined)).is_ok());
        assert!(
            container(&with(LinuxContainerSecurityContext::default())).is_ok()
        );
    }

    #[test]
    fn a_plain_sandbox_is_fine() {
        assert!(sandbox(&PodSandboxConfig::default()).is_ok());
    }
}
