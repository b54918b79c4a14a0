//! Start, stop and remove a container. One request at a time changes a
//! container; what its process does meanwhile is the watcher's to tell
//! (watch.rs).

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use nix::sys::signal::Signal;
use runc_naive::{Force, Runtime, Status};
use tokio::sync::watch;

use crate::container::{Container, Phase, Process, Record};
use crate::cri::{ContainerEventType, ContainerState};
use crate::error::{Error, Result};
use crate::manager::Manager;
use crate::signal;

/// How long a process may take to go after SIGKILL. Longer means that it hangs
/// in the kernel, on a dead disk for instance.
const AFTER_SIGKILL: Duration = Duration::from_secs(10);

impl Manager {
    /// Lets the program of a created container run.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::State`]: it was started before, or has
    /// ended; [`Error::Failed`]: the runtime's own words.
    ///
    /// Source: CRI: api.proto, StartContainer
    pub async fn start_container(&self, id: &str) -> Result<()> {
        let container = self.containers.find(id)?;
        let _operation = container.operation.write().await;
        if container.state() != ContainerState::ContainerCreated {
            let state = container.state().as_str_name();
            return Err(Error::State(format!(
                "container {} is {state}, not created",
                container.id()
            )));
        }
        let saved = self.save(&container, |record| {
            record.phase = Phase::Starting;
            record.started_at = Some(Timestamp::now());
        });
        let record = saved.inspect_err(|_| {
            // The disk is full: then nothing has begun.
            let mut record = container.lock();
            record.phase = Phase::Created;
            record.started_at = None;
        })?;
        let started = self.ask_runtime(&record, Runtime::start).await;
        self.settle_start(&container, started.is_ok())?;
        started
    }

    /// Stops a container: its stop signal, then after `grace` SIGKILL. Returns
    /// once it has ended; one that has ended already, or that nobody knows, is
    /// stopped.
    ///
    /// # Errors
    /// [`Error::Failed`]: it is still there 10 seconds after SIGKILL.
    ///
    /// Source: CRI: api.proto, StopContainer
    pub async fn stop_container(
        self: &Arc<Self>,
        id: &str,
        grace: Duration,
    ) -> Result<()> {
        let Some(container) = self.containers.find_if_any(id)? else {
            return Ok(());
        };
        let _operation = container.operation.read().await;
        self.stop(&container, grace).await
    }

    /// Removes a container, by force if it still runs. One that nobody knows is
    /// removed.
    ///
    /// # Errors
    /// As [`Manager::stop_container`]; the runtime cannot delete it.
    ///
    /// Source: CRI: api.proto, RemoveContainer
    pub async fn remove_container(self: &Arc<Self>, id: &str) -> Result<()> {
        let Some(container) = self.containers.find_if_any(id)? else {
            return Ok(());
        };
        self.stop_container(container.id(), Duration::ZERO).await?;
        let _operation = container.operation.write().await;
        if self.containers.find_if_any(container.id())?.is_none() {
            return Ok(()); // another request removed it while we waited
        }
        let record =
            self.save(&container, |record| record.phase = Phase::Removing)?;
        self.ask_runtime(&record, |runtime, id| runtime.delete(id, Force::Yes))
            .await?;
        tokio::task::block_in_place(|| self.erase(&record))?;
        self.containers.remove(&record.id);
        self.publish(&record, ContainerEventType::ContainerDeletedEvent);
        Ok(())
    }

    /// After a crash in the middle of `start`: the runtime knows whether it
    /// happened.
    pub(crate) async fn resume_start(
        &self,
        container: &Container,
    ) -> Result<()> {
        let record = container.record();
        let started = match container.process() {
            Process::Ended(_) => true,
            Process::Unknown(_) => return Ok(()),
            Process::Alive | Process::Unmonitored => {
                self.ask_runtime(&record, Runtime::state).await?.status
                    != Status::Created
            }
        };
        self.settle_start(container, started)
    }

    /// Notes how a start went. Tells of the start, and of an end that came
    /// before we could tell.
    fn settle_start(&self, container: &Container, started: bool) -> Result<()> {
        let saved = self.save(container, |record| {
            record.phase =
                if started { Phase::Started } else { Phase::Created };
            record.started_at = record.started_at.filter(|_| started);
            if started {
                self.publish(record, ContainerEventType::ContainerStartedEvent);
            }
            if container.exit().is_some() {
                self.publish(record, ContainerEventType::ContainerStoppedEvent);
            }
        });
        saved.map(drop)
    }

    async fn stop(
        self: &Arc<Self>,
        container: &Arc<Container>,
        grace: Duration,
    ) -> Result<()> {
        let mut process = container.watch();
        if matches!(container.process(), Process::Unknown(_)) {
            self.look_again(container).await;
        }
        if container.exit().is_some() {
            return Ok(());
        }
        let record = container.record();
        // Before `start` there is only the runtime's init, which knows no
        // signals but SIGKILL.
        if record.phase == Phase::Started && !grace.is_zero() {
            let sent =
                self.kill(&record, signal::stop_signal(&record.config)).await;
            if sent.is_ok() && ended(&mut process, grace).await {
                return Ok(());
            }
        }
        let sent = self.kill(&record, Signal::SIGKILL as i32).await;
        if ended(&mut process, AFTER_SIGKILL).await {
            return Ok(());
        }
        sent?;
        Err(Error::Failed(format!(
            "container {} is still there {AFTER_SIGKILL:?} after SIGKILL",
            record.id
        )))
    }

    /// Sends a signal; that the process is gone already is as good.
    async fn kill(&self, record: &Record, signal: i32) -> Result<()> {
        match self
            .ask_runtime(record, move |runtime, id| runtime.kill(id, signal))
            .await
        {
            Err(Error::NotFound { .. } | Error::State(_)) => Ok(()),
            sent => sent,
        }
    }
}

/// Waits until the watcher has told of the end; tells whether it did within
/// `limit`.
async fn ended(
    process: &mut watch::Receiver<Process>,
    limit: Duration,
) -> bool {
    let end = process.wait_for(|process| matches!(process, Process::Ended(_)));
    tokio::time::timeout(limit, end).await.is_ok_and(|told| told.is_ok())
}
