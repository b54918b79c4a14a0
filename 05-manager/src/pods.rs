//! Run, stop and remove a pod sandbox. There is no process to start: a sandbox
//! is ready when its namespaces are pinned, and gone when they are let go.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nix::mount::{MsFlags, mount};
use tokio::task::JoinSet;

use crate::container::Container;
use crate::cri::PodSandboxConfig;
use crate::error::{Error, Result, failed};
use crate::manager::{Manager, new_id};
use crate::namespaces;
use crate::paths::{make_dir, remove_dir};
use crate::pin::{self, Kind, Pins};
use crate::sandbox::{self, Phase, Record, Sandbox};
use crate::undo::Undo;
use crate::unsupported;

/// What sethostname(2) takes at most, in bytes.
const HOST_NAME_MAX: usize = 64;

/// Bytes of a name: far over Kubernetes' 253, and still a line.
const NAME_MAX: usize = 1024;

/// The size of a pod's /dev/shm: what Docker and Kubernetes give.
const SHM: &str = "mode=1777,size=65536k";

impl Manager {
    /// Makes a sandbox and returns its id. Blocks; runs to its end even if the
    /// client has gone.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Unsupported`]: the request.
    /// [`Error::Conflict`]: the name. [`Error::Failed`]: EPERM and the like of
    /// unshare(2), mount(2).
    ///
    /// Source: CRI: api.proto, RunPodSandbox
    pub fn run_sandbox(
        self: &Arc<Self>,
        config: PodSandboxConfig,
        handler: &str,
    ) -> Result<String> {
        let record = new_record(self, config, handler)?;
        let mut undo = Undo::default();
        self.reserve_sandbox(&record, &mut undo)?;

        let (manager, kept) = (Arc::clone(self), record.clone());
        undo.push("sandbox", move || manager.abandon_sandbox(&kept));
        self.sandbox_store.save(&record.id, &record)?;
        self.make_shared(&record)?;
        let record = Record { phase: Phase::Ready, ..record };
        self.sandbox_store.save(&record.id, &record)?;
        undo.disarm();

        let dir = self.paths.sandbox_state(&record.id);
        self.sandboxes.insert(&record.id, Sandbox::new(record.clone(), dir));
        tracing::info!(sandbox = record.id, "ready");
        Ok(record.id)
    }

    /// Stops all containers of a sandbox by SIGKILL and lets its namespaces go.
    /// One that is stopped already, or that nobody knows, is stopped.
    ///
    /// # Errors
    /// As [`Manager::stop_container`].
    ///
    /// Source: CRI: api.proto, StopPodSandbox
    pub async fn stop_sandbox(self: &Arc<Self>, id: &str) -> Result<()> {
        let Some(sandbox) = self.sandboxes.find_if_any(id)? else {
            return Ok(());
        };
        let _operation = sandbox.operation.write().await;
        self.stop_pod(&sandbox).await
    }

    /// Removes a sandbox and all its containers, by force. One that nobody
    /// knows is removed.
    ///
    /// # Errors
    /// As [`Manager::remove_container`].
    ///
    /// Source: CRI: api.proto, RemovePodSandbox
    pub async fn remove_sandbox(self: &Arc<Self>, id: &str) -> Result<()> {
        let Some(sandbox) = self.sandboxes.find_if_any(id)? else {
            return Ok(());
        };
        let _operation = sandbox.operation.write().await;
        let id = sandbox.record().id;
        if self.sandboxes.find_if_any(&id)?.is_none() {
            return Ok(()); // another request removed it while we waited
        }
        self.stop_pod(&sandbox).await?;
        self.for_each_container(&id, |manager, id| async move {
            manager.remove_container(&id).await
        })
        .await?;
        let record = sandbox.set_phase(Phase::Removing);
        self.sandbox_store.save(&id, &record)?;
        self.abandon_sandbox(&record)?;
        self.sandboxes.remove(&id);
        tracing::info!(sandbox = id, "removed");
        Ok(())
    }

    /// Lists the containers of a sandbox.
    #[must_use]
    pub fn containers_of(&self, sandbox_id: &str) -> Vec<Arc<Container>> {
        let all = self.containers.all().into_iter();
        all.filter(|container| container.lock().sandbox_id == sandbox_id)
            .collect()
    }

    /// Removes all traces of a sandbox that has no container (any more).
    ///
    /// # Errors
    /// EPERM: as umount2(2), rmdir(2).
    pub(crate) fn abandon_sandbox(&self, record: &Record) -> Result<()> {
        self.let_go(record)?;
        remove_dir(&self.paths.sandbox_state(&record.id))?;
        self.sandbox_store.remove(&record.id)
    }

    async fn stop_pod(self: &Arc<Self>, sandbox: &Sandbox) -> Result<()> {
        let id = sandbox.record().id;
        self.for_each_container(&id, |manager, id| async move {
            manager.stop_container(&id, Duration::ZERO).await
        })
        .await?;
        let record = sandbox.set_phase(Phase::Stopped);
        self.sandbox_store.save(&id, &record)?;
        self.let_go(&record)
    }

    /// Runs `act` for all containers of a pod at once; returns the first error
    /// after all have ended.
    async fn for_each_container<F>(
        self: &Arc<Self>,
        sandbox_id: &str,
        act: impl Fn(Arc<Self>, String) -> F,
    ) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let mut acts = JoinSet::new();
        for container in self.containers_of(sandbox_id) {
            acts.spawn(act(Arc::clone(self), container.id().to_owned()));
        }
        acts.join_all().await.into_iter().collect()
    }

    fn reserve_sandbox(
        self: &Arc<Self>,
        record: &Record,
        undo: &mut Undo,
    ) -> Result<()> {
        self.sandboxes.reserve(&record.name(), &record.id)?;
        let (manager, id) = (Arc::clone(self), record.id.clone());
        undo.push("name", move || {
            manager.sandboxes.remove(&id);
            Ok(())
        });
        Ok(())
    }

    /// Makes what the containers of a pod share.
    fn make_shared(&self, record: &Record) -> Result<()> {
        let dir = self.paths.sandbox_state(&record.id);
        let pins = Pins {
            dir: sandbox::namespaces_dir(&dir),
            kinds: record.pinned.clone(),
            hostname: hostname(record),
        };
        pins.pin()?;
        if !record.pinned.contains(&Kind::Ipc) {
            return Ok(());
        }
        let shm = sandbox::shm_dir(&dir);
        make_dir(&shm)?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(Some("shm"), &shm, Some("tmpfs"), flags, Some(SHM))
            .map_err(failed(format!("mount(\"tmpfs\", {shm:?}, ..)")))
    }

    fn let_go(&self, record: &Record) -> Result<()> {
        let dir = self.paths.sandbox_state(&record.id);
        pin::unmount(&sandbox::shm_dir(&dir))?;
        pin::unpin(&sandbox::namespaces_dir(&dir))
    }
}

/// Checks what can be checked before anything is made.
fn new_record(
    manager: &Manager,
    config: PodSandboxConfig,
    handler: &str,
) -> Result<Record> {
    let metadata = config.metadata.as_ref();
    check_name(metadata.map_or("", |metadata| &metadata.name))?;
    if config.hostname.len() > HOST_NAME_MAX
        || config.hostname.contains(char::is_control)
    {
        let name = &config.hostname;
        return Err(Error::Invalid(format!(
            "hostname {name:?}: not a name of at most 64 bytes"
        )));
    }
    unsupported::sandbox(&config)?;
    Ok(Record {
        id: new_id()?,
        handler: manager.runtimes.resolve(handler)?,
        phase: Phase::Creating,
        created_at: Timestamp::now(),
        pinned: namespaces::pinned_kinds(&config)?,
        config,
    })
}

/// Checks the name of a pod or a container. It stands in lists, a line each, so
/// it may not hold what ends a line or means something to a terminal.
///
/// # Errors
/// [`Error::Invalid`]: empty, over 1024 bytes, `/` or a control character.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let why = match name {
        "" => "is empty",
        "." | ".." => "means a directory",
        name if name.len() > NAME_MAX => "has over 1024 bytes",
        name if name.contains('/') => "has a '/' in it",
        name if name.contains(char::is_control) => "has a control character",
        _ => return Ok(()),
    };
    let shown: String = name.chars().take(64).collect();
    Err(Error::Invalid(format!("config.metadata.name {shown:?} {why}")))
}

/// A pod without a name of its own is called by its id, as Docker does.
fn hostname(record: &Record) -> String {
    match record.config.hostname.as_str() {
        "" => record.id[..12].to_owned(),
        name => name.to_owned(),
    }
}
