//! What conmand does first: it reads what it knew, looks what became of it,
//! undoes what was half made, and finishes what was half removed. Whether the
//! last conmand was stopped, killed or lost its power is all the same.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::container::{self, Container};
use crate::error::Result;
use crate::manager::Manager;
use crate::paths::remove_dir;
use crate::sandbox::{self, Sandbox};

impl Manager {
    /// Takes up all sandboxes and containers of the last run. When it returns,
    /// each state is right.
    ///
    /// A record that cannot be read is left alone and told of in the log: the
    /// others must not suffer for it.
    ///
    /// # Errors
    /// The directories cannot be listed.
    pub async fn restore(self: &Arc<Self>) -> Result<()> {
        let mut containers = JoinSet::new();
        for id in self.container_store.ids()? {
            let manager = Arc::clone(self);
            containers.spawn(async move {
                tell("container", &id, manager.restore_container(&id).await);
            });
        }
        containers.join_all().await;
        for id in self.sandbox_store.ids()? {
            tell("pod sandbox", &id, self.restore_sandbox(&id));
        }
        Ok(())
    }

    // ANCHOR: restore_container
    async fn restore_container(self: &Arc<Self>, id: &str) -> Result<()> {
        use container::Phase;
        let Some(record) = self.container_store.load(id)? else {
            // Died before the record was written, so nothing else was made.
            return self.container_store.remove(id);
        };
        match record.phase {
            Phase::Creating | Phase::Removing => {
                tracing::warn!(
                    container = id,
                    "half made or half removed: away with it"
                );
                tokio::task::block_in_place(|| self.abandon(&record))
            }
            Phase::Created | Phase::Starting | Phase::Started => {
                self.adopt(record).await
            }
        }
    }
    // ANCHOR_END: restore_container

    async fn adopt(self: &Arc<Self>, record: container::Record) -> Result<()> {
        self.containers.reserve(&record.name(), &record.id)?;
        let observed = self.observe(&record).await;
        tracing::info!(
            container = record.id,
            "was {:?}, is {:?}",
            record.phase,
            observed.process
        );
        let half_started = record.phase == container::Phase::Starting;
        let container =
            Container::new(record.clone(), observed.process.clone());
        let container = self.containers.insert(&record.id, container);
        if half_started {
            self.resume_start(&container).await?;
        }
        self.keep_time_of_loss(&container, &observed.process);
        self.follow(&container, observed);
        Ok(())
    }

    fn restore_sandbox(&self, id: &str) -> Result<()> {
        use sandbox::Phase;
        let Some(record) = self.sandbox_store.load(id)? else {
            remove_dir(&self.paths.sandbox_state(id))?;
            return self.sandbox_store.remove(id);
        };
        match record.phase {
            Phase::Creating | Phase::Removing => {
                tracing::warn!(
                    sandbox = id,
                    "half made or half removed: away with it"
                );
                self.abandon_sandbox(&record)
            }
            Phase::Ready | Phase::Stopped => {
                self.sandboxes.reserve(&record.name(), id)?;
                self.sandboxes.insert(
                    id,
                    Sandbox::new(record, self.paths.sandbox_state(id)),
                );
                Ok(())
            }
        }
    }
}

fn tell(kind: &str, id: &str, result: Result<()>) {
    if let Err(error) = result {
        tracing::error!("{kind} {id}: left alone: {error}");
    }
}
