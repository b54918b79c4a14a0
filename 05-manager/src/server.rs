//! The CRI server: one file for each family of requests. Here is only what they
//! share: the way in, and how the manager's errors become gRPC's codes.

mod containers;
mod events;
mod image_service;
mod runtime_service;
mod sandboxes;
mod status;

use std::sync::Arc;

use tokio::net::UnixStream;
use tokio_stream::Stream;
use tonic::{Code, Status};

use crate::cri::image_service_server::ImageServiceServer;
use crate::cri::runtime_service_server::RuntimeServiceServer;
use crate::error::Error;
use crate::manager::Manager;

/// What answers the requests.
#[derive(Debug, Clone)]
struct Server(Arc<Manager>);

/// Serves both services of CRI to everyone who connects.
///
/// # Errors
/// The socket fails.
pub async fn serve(
    manager: Arc<Manager>,
    connections: impl Stream<Item = std::io::Result<UnixStream>>,
) -> anyhow::Result<()> {
    let server = Server(manager);
    tonic::transport::Server::builder()
        .add_service(RuntimeServiceServer::new(server.clone()))
        .add_service(ImageServiceServer::new(server))
        .serve_with_incoming(connections)
        .await?;
    Ok(())
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Invalid(_) => Code::InvalidArgument,
            Error::Unsupported(_) => Code::Unimplemented,
            Error::NotFound { .. } => Code::NotFound,
            Error::Conflict(_) => Code::AlreadyExists,
            Error::State(_) => Code::FailedPrecondition,
            Error::Failed(_) => Code::Unknown,
        };
        Status::new(code, error.to_string())
    }
}

/// Says which request is not there yet.
fn unimplemented<T>(rpc: &str) -> Result<T, Status> {
    Err(Status::unimplemented(format!("{rpc}: not supported by conmand yet")))
}

/// Runs an operation to its end even if the client hangs up: half a stop would
/// leave a lock and a process behind.
async fn to_the_end<T: Send + 'static>(
    operation: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Status> {
    match tokio::spawn(operation).await {
        Ok(result) => Ok(result?),
        Err(join) => Err(Status::internal(join.to_string())),
    }
}

/// As [`to_the_end`], for an operation that blocks.
async fn blocking<T: Send + 'static>(
    operation: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Status> {
    match tokio::task::spawn_blocking(operation).await {
        Ok(result) => Ok(result?),
        Err(join) => Err(Status::internal(join.to_string())),
    }
}

/// Tells whether `labels` has all of `selector`: the only kind of selector that
/// CRI knows.
fn selects(
    selector: &std::collections::BTreeMap<String, String>,
    labels: &std::collections::BTreeMap<String, String>,
) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// CRI counts nanoseconds since 1970; 0 stands for "not yet".
fn nanoseconds(at: Option<jiff::Timestamp>) -> i64 {
    at.map_or(0, |at| i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX))
}

/// CRI's verbose answers carry JSON texts under names.
fn verbose(
    value: &impl serde::Serialize,
) -> std::collections::BTreeMap<String, String> {
    // Err: a record that cannot be written would not have been saved either.
    let text = serde_json::to_string(value).unwrap_or_default();
    [("info".to_owned(), text)].into()
}
