//! What happened to containers, told to everyone who asked for it
//! (`GetContainerEvents`). Nobody's slowness holds a container up: who falls
//! behind by more than the buffer is told so, and lists anew.

use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::cri::ContainerEventType;

/// Events kept for a slow subscriber; 40 pods that come and go at once make
/// 160.
const KEPT: usize = 1024;

/// One step in a container's life.
#[derive(Debug, Clone)]
pub struct Event {
    /// The container.
    pub container_id: String,
    /// Its pod sandbox.
    pub sandbox_id: String,
    /// The step.
    pub kind: ContainerEventType,
    /// When it was seen.
    pub at: Timestamp,
}

/// The one sender; each subscriber has its own place in the stream.
#[derive(Debug)]
pub struct Events(broadcast::Sender<Event>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(KEPT).0)
    }
}

impl Events {
    /// Tells all subscribers; without any, the event is gone.
    pub fn publish(&self, event: Event) {
        tracing::info!(
            container = event.container_id,
            "{}",
            event.kind.as_str_name().trim_start_matches("CONTAINER_")
        );
        // Err only says that nobody listens now.
        let _ = self.0.send(event);
    }

    /// Starts a subscription: it sees what is published from here on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}
