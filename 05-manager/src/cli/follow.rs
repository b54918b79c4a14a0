//! Follows a container to its end: its log by inotify, its end by CRI's events.
//! Neither is polled.

use anyhow::{Context, bail};
use tonic::Streaming;

use super::client::{Client, said};
use super::log::Log;
use crate::cri::{
    ContainerEventResponse, ContainerEventType, ContainerState,
    ContainerStatus, GetEventsRequest,
};

/// A subscription to the end of one container. Made before the start, so that
/// no end is too quick for it.
pub(super) struct End {
    id: String,
    events: Streaming<ContainerEventResponse>,
}

impl End {
    /// Subscribes.
    pub(super) async fn of(
        client: &mut Client,
        id: &str,
    ) -> anyhow::Result<Self> {
        let events = client.cri.get_container_events(GetEventsRequest {}).await;
        let events = events.map_err(said("GetContainerEvents"))?.into_inner();
        Ok(Self { id: id.to_owned(), events })
    }

    /// Waits for the end and returns the last status.
    ///
    /// # Errors
    /// conmand has gone (the container has not), or the container was removed.
    pub(super) async fn wait(&mut self) -> anyhow::Result<ContainerStatus> {
        loop {
            let event = self
                .events
                .message()
                .await
                .map_err(said("GetContainerEvents"))?;
            let event = event.context(
                "GetContainerEvents: conmand has gone; the container goes on",
            )?;
            if event.container_id != self.id {
                continue;
            }
            match event.container_event_type() {
                ContainerEventType::ContainerStoppedEvent => {
                    let statuses = event.containers_statuses.into_iter();
                    let mut own =
                        statuses.filter(|status| status.id == self.id);
                    return own.next().context(
                        "GetContainerEvents: a stop without a status",
                    );
                }
                ContainerEventType::ContainerDeletedEvent => {
                    bail!("the container was removed")
                }
                ContainerEventType::ContainerCreatedEvent
                | ContainerEventType::ContainerStartedEvent => {}
            }
        }
    }
}

/// Prints a log as it grows until the container has ended; returns its last
/// status.
///
/// Everything that it wrote is in the log before its end is told, so one last
/// look finds the rest.
pub(super) async fn follow(
    log: &mut Log,
    end: &mut End,
) -> anyhow::Result<ContainerStatus> {
    loop {
        log.print_new().await?;
        tokio::select! {
            grown = log.grown() => grown?,
            status = end.wait() => {
                log.print_new().await?;
                return status;
            }
        }
    }
}

/// Tells whether a container has ended already.
pub(super) fn has_ended(status: &ContainerStatus) -> bool {
    status.state() == ContainerState::ContainerExited
}
