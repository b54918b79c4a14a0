//! CreateContainer: a record, a directory, a bundle, a shim, and a process that
//! waits for `start`. Either all of them are there in the end, or none.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use oci_spec::runtime::Spec;
use runc_naive::Force;

use crate::container::{Container, Phase, Record};
use crate::cri::{ContainerConfig, ContainerEventType};
use crate::error::{Error, Result};
use crate::liveness;
use crate::manager::{Manager, VERB};
use crate::paths::{make_dir, remove_dir, remove_file};
use crate::plan;
use crate::shim::Shim;
use crate::undo::Undo;

impl Manager {
    /// Creates a container in a sandbox and returns its id. Blocks while the
    /// runtime works; runs to its end even if the client has gone.
    ///
    /// # Errors
    /// `Invalid`, `Unsupported`: the request. `NotFound`, `State`: the sandbox.
    /// `Conflict`: the name. `Failed`: the runtime's own words.
    ///
    /// Source: CRI: api.proto, CreateContainer
    pub fn create_container(
        self: &Arc<Self>,
        sandbox_id: &str,
        config: ContainerConfig,
    ) -> Result<String> {
        // ANCHOR: create
        let sandbox = self.sandboxes.find(sandbox_id)?;
        let _sandbox_stays = sandbox.operation.blocking_read();
        let record = plan::record(self, &sandbox, config)?;
        let spec = plan::spec(&sandbox, &record, &self.limits)?;

        let mut undo = Undo::default();
        self.reserve(&record, &mut undo)?;
        self.make_files(&record, &spec, &mut undo)?;
        self.start_shim(&record)?;
        let record = Record { phase: Phase::Created, ..record };
        self.container_store.save(&record.id, &record)?;
        undo.disarm();

        self.take_up(record)
        // ANCHOR_END: create
    }

    /// Removes all traces of a container that was not created to its end, or
    /// whose removal was cut short.
    ///
    /// # Errors
    /// The runtime cannot delete it; the record stays, and the next start of
    /// conmand tries again.
    pub(crate) fn abandon(&self, record: &Record) -> Result<()> {
        let id = &record.id;
        liveness::kill(&self.paths.shim_pid(id))?;
        self.delete_within(record, VERB)?;
        self.erase(record)
    }

    /// Has the runtime delete a container, from a thread of its own: a runtime
    /// that hangs may not keep conmand from starting.
    fn delete_within(&self, record: &Record, limit: Duration) -> Result<()> {
        let runtime = self.runtime(&record.handler);
        let (id, name) = (record.id.clone(), &record.handler.name);
        let (answer, deleted) = mpsc::channel();
        // A late answer has nobody who reads it.
        std::thread::spawn(move || {
            answer.send(runtime.delete(&id, Force::Yes))
        });
        match deleted.recv_timeout(limit) {
            Ok(deleted) => Ok(deleted?),
            Err(_) => Err(Error::Failed(format!(
                "runtime {name}: delete: no answer within {limit:?}"
            ))),
        }
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

    /// The record comes first: from then on, a crash leaves a trace that leads
    /// to everything else.
    fn make_files(
        self: &Arc<Self>,
        record: &Record,
        spec: &Spec,
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
