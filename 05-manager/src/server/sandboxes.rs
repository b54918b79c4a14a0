//! Requests about pod sandboxes.

use std::sync::Arc;

use tonic::{Response, Status};

use super::{blocking, containers, nanoseconds, selects, to_the_end, verbose};
use crate::cri::{
    LinuxPodSandboxStatus, ListPodSandboxRequest, ListPodSandboxResponse,
    Namespace, PodSandbox, PodSandboxFilter, PodSandboxStatus,
    PodSandboxStatusRequest, PodSandboxStatusResponse, RemovePodSandboxRequest,
    RemovePodSandboxResponse, RunPodSandboxRequest, RunPodSandboxResponse,
    StopPodSandboxRequest, StopPodSandboxResponse,
};
use crate::manager::Manager;
use crate::namespaces::namespace_options;
use crate::sandbox::Sandbox;

pub(super) async fn run(
    manager: &Arc<Manager>,
    request: RunPodSandboxRequest,
) -> Result<Response<RunPodSandboxResponse>, Status> {
    let manager = Arc::clone(manager);
    let config = request.config.unwrap_or_default();
    let handler = request.runtime_handler;
    let pod_sandbox_id =
        blocking(move || manager.run_sandbox(config, &handler)).await?;
    Ok(Response::new(RunPodSandboxResponse { pod_sandbox_id }))
}

pub(super) async fn stop(
    manager: &Arc<Manager>,
    request: StopPodSandboxRequest,
) -> Result<Response<StopPodSandboxResponse>, Status> {
    let manager = Arc::clone(manager);
    to_the_end(
        async move { manager.stop_sandbox(&request.pod_sandbox_id).await },
    )
    .await?;
    Ok(Response::new(StopPodSandboxResponse {}))
}

pub(super) async fn remove(
    manager: &Arc<Manager>,
    request: RemovePodSandboxRequest,
) -> Result<Response<RemovePodSandboxResponse>, Status> {
    let manager = Arc::clone(manager);
    to_the_end(
        async move { manager.remove_sandbox(&request.pod_sandbox_id).await },
    )
    .await?;
    Ok(Response::new(RemovePodSandboxResponse {}))
}

pub(super) fn list(
    manager: &Manager,
    request: ListPodSandboxRequest,
) -> Response<ListPodSandboxResponse> {
    let filter = request.filter.unwrap_or_default();
    let all = manager.sandboxes.all();
    let items = all
        .iter()
        .map(|sandbox| listed(sandbox))
        .filter(|item| fits(&filter, item));
    Response::new(ListPodSandboxResponse { items: items.collect() })
}

pub(super) fn status(
    manager: &Manager,
    request: &PodSandboxStatusRequest,
) -> Result<Response<PodSandboxStatusResponse>, Status> {
    let sandbox = manager.sandboxes.find(&request.pod_sandbox_id)?;
    let info = if request.verbose {
        verbose(&sandbox.record())
    } else {
        Default::default()
    };
    Ok(Response::new(PodSandboxStatusResponse {
        status: Some(status_of(&sandbox)),
        info,
        containers_statuses: containers::statuses(
            manager,
            &sandbox.record().id,
        ),
        timestamp: nanoseconds(Some(jiff::Timestamp::now())),
    }))
}

/// Writes a sandbox's status; also part of each event.
pub(super) fn status_of(sandbox: &Sandbox) -> PodSandboxStatus {
    let record = sandbox.record();
    let options = Some(namespace_options(&record.config));
    PodSandboxStatus {
        id: record.id,
        metadata: record.config.metadata,
        state: sandbox.state().into(),
        created_at: nanoseconds(Some(record.created_at)),
        // A loopback device has no address that others could use.
        network: None,
        linux: Some(LinuxPodSandboxStatus {
            namespaces: Some(Namespace { options }),
        }),
        labels: record.config.labels,
        annotations: record.config.annotations,
        runtime_handler: record.handler.name,
    }
}

fn listed(sandbox: &Sandbox) -> PodSandbox {
    let status = status_of(sandbox);
    PodSandbox {
        id: status.id,
        metadata: status.metadata,
        state: status.state,
        created_at: status.created_at,
        labels: status.labels,
        annotations: status.annotations,
        runtime_handler: status.runtime_handler,
    }
}

fn fits(filter: &PodSandboxFilter, item: &PodSandbox) -> bool {
    item.id.starts_with(&filter.id)
        && filter.state.as_ref().is_none_or(|wanted| wanted.state == item.state)
        && selects(&filter.label_selector, &item.labels)
}
