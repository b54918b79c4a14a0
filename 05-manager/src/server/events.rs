//! GetContainerEvents: a stream that begins now and never ends by itself.

use std::sync::Arc;

use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError::Lagged;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;

use super::{containers, nanoseconds, sandboxes};
use crate::cri::ContainerEventResponse;
use crate::events::Event;
use crate::manager::Manager;

pub(super) type EventStream = std::pin::Pin<
    Box<dyn Stream<Item = Result<ContainerEventResponse, Status>> + Send>,
>;

pub(super) fn subscribe(manager: &Arc<Manager>) -> EventStream {
    let manager = Arc::clone(manager);
    let events = BroadcastStream::new(manager.events.subscribe());
    Box::pin(events.map(move |event| match event {
        Ok(event) => Ok(response(&manager, event)),
        // The subscriber must list anew: it cannot know what it has missed.
        Err(Lagged(missed)) => Err(Status::data_loss(format!(
            "{missed} events came faster than they were read"
        ))),
    }))
}

fn response(manager: &Manager, event: Event) -> ContainerEventResponse {
    let sandbox = manager.sandboxes.find(&event.sandbox_id).ok();
    ContainerEventResponse {
        container_id: event.container_id,
        container_event_type: event.kind.into(),
        created_at: nanoseconds(Some(event.at)),
        pod_sandbox_status: sandbox
            .map(|sandbox| sandboxes::status_of(&sandbox)),
        containers_statuses: containers::statuses(manager, &event.sandbox_id),
    }
}
