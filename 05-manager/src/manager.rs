//! The manager: what it knows, where it keeps it, and how it asks a runtime.
//! What it does is told elsewhere, one file for each story: pods.rs, create.rs,
//! lifecycle.rs, watch.rs, restore.rs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use runc_naive::{Runtime, RuntimeError};

use crate::container::{self, Container};
use crate::cri::ContainerEventType;
use crate::error::{Error, Result};
use crate::events::{Event, Events};
use crate::paths::{Paths, make_dir};
use crate::registry::Registry;
use crate::runtimes::{Handler, Runtimes};
use crate::sandbox::{self, Sandbox};
use crate::spec::Limits;
use crate::store::Store;

/// How long we wait for a runtime's verb. The verb itself is not killed: half a
/// `start` is worse than a slow one.
pub(crate) const VERB: Duration = Duration::from_secs(30);

/// What a runtime's verb answers.
type Answer<T> = std::result::Result<T, RuntimeError>;

/// One daemon's sandboxes and containers.
#[derive(Debug)]
pub struct Manager {
    /// Where everything lies.
    pub paths: Paths,
    /// The runtimes.
    pub runtimes: Runtimes,
    /// The sandboxes that exist.
    pub sandboxes: Registry<Sandbox>,
    /// The containers that exist.
    pub containers: Registry<Container>,
    /// What happens to containers.
    pub events: Events,
    /// The program `conman-shim`.
    pub(crate) shim: PathBuf,
    /// What we lack ourselves.
    pub(crate) limits: Limits,
    pub(crate) sandbox_store: Store<sandbox::Record>,
    pub(crate) container_store: Store<container::Record>,
}

impl Manager {
    /// Opens the directories; what they tell is taken up by
    /// [`Manager::restore`].
    ///
    /// # Errors
    /// As mkdir(2); no /proc.
    pub fn open(
        paths: Paths,
        runtimes: Runtimes,
        shim: PathBuf,
    ) -> Result<Arc<Self>> {
        make_dir(&paths.root)?;
        make_dir(&paths.state)?;
        Ok(Arc::new(Self {
            runtimes,
            shim,
            sandboxes: Registry::new("pod sandbox"),
            containers: Registry::new("container"),
            events: Events::default(),
            limits: Limits::own()?,
            sandbox_store: Store::open(paths.sandboxes())?,
            container_store: Store::open(paths.containers())?,
            paths,
        }))
    }

    /// Returns the client of a handler's runtime, with that handler's state
    /// directory.
    pub(crate) fn runtime(&self, handler: &Handler) -> Runtime {
        Runtime::new(&handler.program)
            .root(self.paths.runtime_root(&handler.name))
    }

    /// Calls a runtime about one container, without blocking others meanwhile.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::State`]: as [`RuntimeError`].
    /// [`Error::Failed`]: also if it takes longer than 30 seconds.
    pub(crate) async fn ask_runtime<T: Send + 'static>(
        &self,
        record: &container::Record,
        verb: impl FnOnce(&Runtime, &str) -> Answer<T> + Send + 'static,
    ) -> Result<T> {
        let runtime = self.runtime(&record.handler);
        let (id, name) = (record.id.clone(), record.handler.name.clone());
        let call = tokio::task::spawn_blocking(move || verb(&runtime, &id));
        match tokio::time::timeout(VERB, call).await {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(join)) => {
                Err(Error::Failed(format!("runtime {name}: {join}")))
            }
            Err(_) => Err(Error::Failed(format!(
                "runtime {name}: no answer within {VERB:?}"
            ))),
        }
    }

    /// Changes a container's record and writes it down before anything else
    /// happens.
    ///
    /// # Errors
    /// As [`Store::save`]; the record in memory has changed all the same.
    pub(crate) fn save(
        &self,
        container: &Container,
        change: impl FnOnce(&mut container::Record),
    ) -> Result<container::Record> {
        let record = {
            let mut record = container.lock();
            change(&mut record);
            record.clone()
        };
        tokio::task::block_in_place(|| {
            self.container_store.save(&record.id, &record)
        })?;
        Ok(record)
    }

    /// Tells everyone what happened to a container.
    pub(crate) fn publish(
        &self,
        record: &container::Record,
        kind: ContainerEventType,
    ) {
        self.events.publish(Event {
            container_id: record.id.clone(),
            sandbox_id: record.sandbox_id.clone(),
            kind,
            at: jiff::Timestamp::now(),
        });
    }
}

/// Makes an id that nobody can guess or meet again: 256 random bits.
///
/// # Errors
/// ENOENT: no /dev/urandom.
///
/// Source: random(4)
pub(crate) fn new_id() -> Result<String> {
    use std::io::Read;
    let mut bytes = [0_u8; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(crate::error::failed("read(\"/dev/urandom\")"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
