//! Decides all of a container before anything is made: its record and its
//! config.json. What is wrong with a request is found here, while there is
//! nothing to undo.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use oci_spec::runtime::Spec;

use crate::container::{Phase, Record};
use crate::cri::{ContainerConfig, NamespaceOption, PodSandboxState};
use crate::error::{Error, Result, failed};
use crate::image;
use crate::manager::{Manager, new_id};
use crate::namespaces;
use crate::pods::check_name;
use crate::sandbox::{self, Sandbox};
use crate::spec::{self, Inputs, Limits, Pod};
use crate::{unsupported, user};

/// Checks a request and writes the record of the container that it asks for.
///
/// # Errors
/// [`Error::Invalid`], [`Error::Unsupported`]: the request. [`Error::State`]:
/// the sandbox is not ready.
pub(crate) fn record(
    manager: &Manager,
    sandbox: &Sandbox,
    config: ContainerConfig,
) -> Result<Record> {
    let pod = sandbox.record();
    if sandbox.state() != PodSandboxState::SandboxReady {
        return Err(Error::State(format!(
            "pod sandbox {} is not ready",
            pod.id
        )));
    }
    let metadata = config.metadata.as_ref();
    check_name(metadata.map_or("", |metadata| &metadata.name))?;
    unsupported::container(&config)?;
    let rootfs = image::rootfs(&image::reference(&config))?;
    let id = new_id()?;
    Ok(Record {
        log: log_path(&pod.config.log_directory, &config.log_path)?
            .unwrap_or_else(|| manager.paths.container(&id).join("log")),
        id,
        sandbox_id: pod.id,
        handler: pod.handler,
        phase: Phase::Creating,
        created_at: Timestamp::now(),
        started_at: None,
        lost_at: None,
        user: user::resolve(&spec::security(&config), &rootfs)?,
        config,
    })
}

/// Writes the config.json of a container in its sandbox.
///
/// # Errors
/// [`Error::Invalid`], [`Error::Unsupported`]: the request.
pub(crate) fn spec(
    sandbox: &Sandbox,
    record: &Record,
    limits: &Limits,
) -> Result<Spec> {
    let config = &record.config;
    let security = spec::security(config);
    let rootfs = image::rootfs(&image::reference(config))?;
    check_mount_sources(config)?;
    // What the container does not say, its pod does.
    let pods = || namespaces::namespace_options(&sandbox.record().config);
    let options = security.namespace_options.clone().unwrap_or_else(pods);
    spec::spec(&Inputs {
        config,
        rootfs: &rootfs,
        user: record.user.clone(),
        pod: pod(sandbox, &options)?,
        cgroups_path: cgroups_path(&sandbox.record(), &record.id)?,
        limits,
    })
}

fn pod(sandbox: &Sandbox, options: &NamespaceOption) -> Result<Pod> {
    let pinned = sandbox.record().pinned;
    Ok(Pod {
        namespaces: pinned
            .iter()
            .map(|kind| (kind.oci(), sandbox.namespace(*kind)))
            .collect(),
        own_pid: namespaces::own_pid_namespace(options)?,
        shm: sandbox.shm(),
    })
}

/// CRI joins the two: `/var/log/pods/X` and `web/0.log`. A path that climbs out
/// would overwrite any file.
fn log_path(directory: &str, path: &str) -> Result<Option<PathBuf>> {
    let refuse = |why| Error::Invalid(format!("log_path {path:?}: {why}"));
    if directory.is_empty() || path.is_empty() {
        return Ok(None);
    }
    if !directory.starts_with('/') {
        return Err(Error::Invalid(format!(
            "log_directory {directory:?}: not an absolute path"
        )));
    }
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(refuse("not a relative path without `..`"));
    }
    Ok(Some(Path::new(directory).join(path)))
}

/// At the top when nothing is said, so that removing the container leaves no
/// parent behind.
fn cgroups_path(sandbox: &sandbox::Record, id: &str) -> Result<String> {
    let linux = sandbox.config.linux.as_ref();
    let parent =
        linux.map(|linux| linux.cgroup_parent.as_str()).unwrap_or_default();
    if parent.split('/').any(|part| part == "..") {
        return Err(Error::Invalid(format!(
            "cgroup_parent {parent:?}: has `..` in it"
        )));
    }
    match parent.trim_matches('/') {
        "" => Ok(format!("/conman-{id}")),
        parent => Ok(format!("/{parent}/{id}")),
    }
}

/// A missing source is an error in CRI: made up as an empty directory, it would
/// hide a typing mistake.
fn check_mount_sources(config: &ContainerConfig) -> Result<()> {
    for mount in &config.mounts {
        std::fs::metadata(&mount.host_path).map_err(|error| {
            let why = failed(format!("stat({:?})", mount.host_path))(error);
            Error::Invalid(format!("mounts: host_path: {why}"))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_path_stays_in_the_pods_directory() {
        let path = log_path("/var/log/pods/x", "web/0.log").unwrap();
        assert_eq!(
            path.as_deref(),
            Some(Path::new("/var/log/pods/x/web/0.log"))
        );
        assert_eq!(log_path("", "0.log").unwrap(), None);
        for (directory, path) in
            [("/x", "../0.log"), ("/x", "/etc/passwd"), ("x", "0.log")]
        {
            assert!(log_path(directory, path).is_err(), "{directory} {path}");
        }
    }
}
