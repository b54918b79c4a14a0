//! CreateContainer: a record, a directory, a bundle, a shim, and a process that waits for `start`. Either all of
//! them are there in the end, or none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use runc_naive::Force;

use crate::container::{Container, Phase, Record};
use crate::cri::{
    ContainerConfig, ContainerEventType, NamespaceOption, PodSandboxState,
};
use crate::error::{Error, Result, failed};
use crate::image;
use crate::liveness;
use crate::manager::{Manager, new_id};
use crate::paths::{make_dir, remove_dir, remove_file};
use crate::sandbox::{self, Sandbox};
use crate::shim::Shim;
use crate::spec::{self, Inputs, Pod};
use crate::undo::Undo;
use crate::{unsupported, user};

impl Manager {
    /// Creates a container in a sandbox and returns its id. Blocks while the runtime works; runs to its end even
    /// if the client has gone.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Unsupported`]: the request. [`Error::NotFound`], [`Error::State`]: the
    /// sandbox. [`Error::Conflict`]: the name. [`Error::Failed`]: the runtime's own words.
    ///
    /// Source: CRI: api.proto, CreateContainer
    pub fn create_container(
        self: &Arc<Self>,
        sandbox_id: &str,
        config: ContainerConfig,
    ) -> Result<String> {
        let sandbox = self.sandboxes.find(sandbox_id)?;
        let _sandbox_stays = sandbox.operation.blocking_read();
        let record = new_record(self, &sandbox, config)?;
        let spec = self.spec(&sandbox, &record)?;

        let mut undo = Undo::default();
        self.reserve(&record, &mut undo)?;
        self.make_files(&record, &spec, &mut undo)?;
        self.start_shim(&record)?;
        let record = Record { phase: Phase::Created, ..record };
        self.container_store.save(&record.id, &record)?;
        undo.disarm();

        self.take_up(record)
    }

    /// Removes all traces of a container that was not created to its end, or whose removal was cut short.
    ///
    /// # Errors
    /// The runtime cannot delete it; the record stays, and the next start of conmand tries again.
    pub(crate) fn abandon(&self, record: &Record) -> Result<()> {
        let id = &record.id;
        liveness::kill(&self.paths.shim_pid(id))?;
        self.runtime(&record.handler).delete(id, Force::Yes)?;
        self.erase(record)
    }

    /// Removes a container's files, the record last.
    pub(crate) fn erase(&self, record: &Record) -> Result<()> {
        remove_dir(&self.paths.container_state(&record.id))?;
        self.container_store.remove(&record.id)
    }

    /// Makes the container known, and has it watched.
    fn take_up(self: &Arc<Self>, record: Record) -> Result<String> {
        let runtime = tokio::runtime::Handle::current();
        let observed = runtime.block_on(self.observe(&record));
        let container =
            Container::new(record.clone(), observed.process.clone());
        let container = self.containers.insert(&record.id, container);
        self.publish(&record, ContainerEventType::ContainerCreatedEvent);
        self.follow(&container, observed);
        Ok(record.id)
    }

    fn spec(
        &self,
        sandbox: &Sandbox,
        record: &Record,
    ) -> Result<oci_spec::runtime::Spec> {
        let config = &record.config;
        let rootfs = image::rootfs(&image_of(config))?;
        check_mount_sources(config)?;
        let options =
            spec::security(config).namespace_options.unwrap_or_else(|| {
                // What the container does not say, its pod does.
                sandbox::namespace_options(&sandbox.record().config)
            });
        spec::spec(&Inputs {
            config,
            rootfs: &rootfs,
            user: user::resolve(&spec::security(config), &rootfs)?,
            pod: pod(sandbox, &options)?,
            cgroups_path: cgroups_path(&sandbox.record(), &record.id)?,
            limits: &self.limits,
        })
    }

    fn reserve(
        self: &Arc<Self>,
        record: &Record,
        undo: &mut Undo,
    ) -> Result<()> {
        self.containers.reserve(&record.name(), &record.id)?;
        let (manager, id) = (Arc::clone(self), record.id.clone());
        undo.push("name", move || {
            manager.containers.remove(&id);
            Ok(())
        });
        Ok(())
    }

    /// The record comes first: from then on, a crash leaves a trace that leads to everything else.
    fn make_files(
        self: &Arc<Self>,
        record: &Record,
        spec: &oci_spec::runtime::Spec,
        undo: &mut Undo,
    ) -> Result<()> {
        let (manager, kept) = (Arc::clone(self), record.clone());
        undo.push("container", move || manager.abandon(&kept));
        self.container_store.save(&record.id, record)?;
        make_dir(&self.paths.container_state(&record.id))?;
        make_dir(&self.paths.runtime_root(&record.handler.name))?;
        let bundle = self.paths.bundle(&record.id);
        make_dir(&bundle)?;
        if let Some(dir) = record.log.parent() {
            make_dir(dir)?;
        }
        if !record.log.exists() {
            // It may lie in the pod's directory, which is not ours to remove.
            let log = record.log.clone();
            undo.push("log", move || remove_file(&log));
        }
        Ok(spec.save(bundle.join("config.json"))?)
    }

    fn start_shim(&self, record: &Record) -> Result<i32> {
        let shim = Shim {
            program: &self.shim,
            paths: &self.paths,
            handler: &record.handler,
            log: &record.log,
        };
        shim.create(&record.id)
    }
}

/// Checks what can be checked before anything is made.
fn new_record(
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
    if config.metadata.as_ref().is_none_or(|metadata| metadata.name.is_empty())
    {
        return Err(Error::Invalid("config.metadata.name is empty".to_owned()));
    }
    unsupported::container(&config)?;
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
        config,
    })
}

/// Returns the image reference of a request.
#[must_use]
pub fn image_of(config: &ContainerConfig) -> String {
    config.image.as_ref().map(|image| image.image.clone()).unwrap_or_default()
}

fn pod(sandbox: &Sandbox, options: &NamespaceOption) -> Result<Pod> {
    let pinned = sandbox.record().pinned;
    Ok(Pod {
        namespaces: pinned
            .iter()
            .map(|kind| (kind.oci(), sandbox.namespace(*kind)))
            .collect(),
        own_pid: sandbox::own_pid_namespace(options)?,
        shm: sandbox.shm(),
    })
}

/// CRI joins the two: `/var/log/pods/X` and `web/0.log`. A path that climbs out would overwrite any file.
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

/// At the top when nothing is said, so that removing the container leaves no parent behind.
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

/// A missing source is an error in CRI: made up as an empty directory, it would hide a typing mistake.
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
