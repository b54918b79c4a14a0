//! Requests about containers.

use std::sync::Arc;
use std::time::Duration;

use tonic::{Response, Status};

use super::{blocking, nanoseconds, selects, to_the_end, verbose};
use crate::container::Container;
use crate::cri::{
    self, ContainerFilter, ContainerResources, ContainerStatus,
    ContainerStatusRequest, ContainerStatusResponse, ContainerUser,
    CreateContainerRequest, CreateContainerResponse, LinuxContainerUser,
    ListContainersRequest, ListContainersResponse, RemoveContainerRequest,
    RemoveContainerResponse, StartContainerRequest, StartContainerResponse,
    StopContainerRequest, StopContainerResponse,
};
use crate::error::Error;
use crate::exit::Exit;
use crate::image;
use crate::liveness::read_pid;
use crate::manager::Manager;

pub(super) async fn create(
    manager: &Arc<Manager>,
    request: CreateContainerRequest,
) -> Result<Response<CreateContainerResponse>, Status> {
    let manager = Arc::clone(manager);
    let config = request.config.unwrap_or_default();
    let sandbox = request.pod_sandbox_id;
    let container_id =
        blocking(move || manager.create_container(&sandbox, config)).await?;
    Ok(Response::new(CreateContainerResponse { container_id }))
}

pub(super) async fn start(
    manager: &Arc<Manager>,
    request: StartContainerRequest,
) -> Result<Response<StartContainerResponse>, Status> {
    let manager = Arc::clone(manager);
    to_the_end(
        async move { manager.start_container(&request.container_id).await },
    )
    .await?;
    Ok(Response::new(StartContainerResponse {}))
}

// ANCHOR: stop
pub(super) async fn stop(
    manager: &Arc<Manager>,
    request: StopContainerRequest,
) -> Result<Response<StopContainerResponse>, Status> {
    let manager = Arc::clone(manager);
    // A negative grace period is none.
    let grace = Duration::from_secs(request.timeout.try_into().unwrap_or(0));
    to_the_end(async move {
        manager.stop_container(&request.container_id, grace).await
    })
    .await?;
    Ok(Response::new(StopContainerResponse {}))
}
// ANCHOR_END: stop

pub(super) async fn remove(
    manager: &Arc<Manager>,
    request: RemoveContainerRequest,
) -> Result<Response<RemoveContainerResponse>, Status> {
    let manager = Arc::clone(manager);
    to_the_end(
        async move { manager.remove_container(&request.container_id).await },
    )
    .await?;
    Ok(Response::new(RemoveContainerResponse {}))
}

pub(super) fn list(
    manager: &Manager,
    request: ListContainersRequest,
) -> Response<ListContainersResponse> {
    let filter = request.filter.unwrap_or_default();
    let all = manager.containers.all();
    let containers = all.iter().map(|container| listed(container));
    let containers = containers.filter(|item| fits(&filter, item)).collect();
    Response::new(ListContainersResponse { containers })
}

pub(super) fn status(
    manager: &Manager,
    request: &ContainerStatusRequest,
) -> Result<Response<ContainerStatusResponse>, Status> {
    let container = manager.containers.find(&request.container_id)?;
    let info = if request.verbose {
        info(manager, &container)?
    } else {
        Default::default()
    };
    Ok(Response::new(ContainerStatusResponse {
        status: Some(status_of(&container)),
        info,
    }))
}

/// Writes the statuses of a sandbox's containers.
pub(super) fn statuses(
    manager: &Manager,
    sandbox_id: &str,
) -> Vec<ContainerStatus> {
    manager
        .containers_of(sandbox_id)
        .iter()
        .map(|container| status_of(container))
        .collect()
}

fn status_of(container: &Container) -> ContainerStatus {
    let record = container.record();
    let exit = container.exit();
    let config = record.config;
    let image = image::reference(&config);
    let resources = config.linux.and_then(|linux| linux.resources);
    ContainerStatus {
        id: record.id,
        state: container.state().into(),
        created_at: nanoseconds(Some(record.created_at)),
        started_at: nanoseconds(record.started_at),
        finished_at: nanoseconds(exit.as_ref().map(|exit| exit.finished_at)),
        exit_code: exit.as_ref().map_or(0, |exit| exit.code),
        reason: exit
            .as_ref()
            .map(Exit::cri_reason)
            .unwrap_or_default()
            .to_owned(),
        message: exit.as_ref().map(Exit::cri_message).unwrap_or_default(),
        image_ref: image.clone(),
        image_id: image,
        image: config.image,
        metadata: config.metadata,
        labels: config.labels,
        annotations: config.annotations,
        mounts: config.mounts,
        log_path: record.log.to_string_lossy().into_owned(),
        resources: resources.map(|linux| ContainerResources {
            linux: Some(linux),
            ..Default::default()
        }),
        user: Some(user(&record.user)),
        stop_signal: config.stop_signal,
    }
}

fn user(user: &oci_spec::runtime::User) -> ContainerUser {
    let groups = user.additional_gids().iter().flatten();
    let linux = LinuxContainerUser {
        uid: user.uid().into(),
        gid: user.gid().into(),
        supplemental_groups: groups.map(|gid| (*gid).into()).collect(),
    };
    ContainerUser { linux: Some(linux) }
}

/// What CRI's fields do not say: the pid, whether somebody watches, the
/// config.json that the runtime was given.
fn info(
    manager: &Manager,
    container: &Container,
) -> Result<std::collections::BTreeMap<String, String>, Error> {
    let record = container.record();
    let bundle = manager.paths.bundle(&record.id);
    let config =
        std::fs::read_to_string(bundle.join("config.json")).unwrap_or_default();
    let pid = read_pid(&manager.paths.container_pid(&record.id));
    Ok(verbose(&serde_json::json!({
        "sandboxID": record.sandbox_id,
        "pid": pid.filter(|_| container.exit().is_none()),
        "process": format!("{:?}", container.process()),
        "runtime": record.handler,
        "bundle": bundle,
        "runtimeSpec": serde_json::from_str::<serde_json::Value>(&config).ok(),
    })))
}

fn listed(container: &Container) -> cri::Container {
    let sandbox_id = container.lock().sandbox_id.clone();
    let status = status_of(container);
    cri::Container {
        id: status.id,
        pod_sandbox_id: sandbox_id,
        metadata: status.metadata,
        image: status.image,
        image_ref: status.image_ref,
        state: status.state,
        created_at: status.created_at,
        labels: status.labels,
        annotations: status.annotations,
        image_id: status.image_id,
    }
}

fn fits(filter: &ContainerFilter, item: &cri::Container) -> bool {
    item.id.starts_with(&filter.id)
        && item.pod_sandbox_id.starts_with(&filter.pod_sandbox_id)
        && filter.state.as_ref().is_none_or(|wanted| wanted.state == item.state)
        && selects(&filter.label_selector, &item.labels)
}
