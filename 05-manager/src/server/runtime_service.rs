//! The table of contents of CRI's runtime service: each request, and the
//! function that answers it. What is not there yet says so by name.

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

use super::{Server, containers, events, sandboxes, status, unimplemented};
use crate::cri::runtime_service_server::RuntimeService;
use crate::cri::*;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl RuntimeService for Server {
    type GetContainerEventsStream = events::EventStream;
    type StreamPodSandboxesStream = BoxStream<StreamPodSandboxesResponse>;
    type StreamContainersStream = BoxStream<StreamContainersResponse>;
    type StreamContainerStatsStream = BoxStream<StreamContainerStatsResponse>;
    type StreamPodSandboxStatsStream = BoxStream<StreamPodSandboxStatsResponse>;
    type StreamPodSandboxMetricsStream =
        BoxStream<StreamPodSandboxMetricsResponse>;

    async fn version(
        &self,
        _: Request<VersionRequest>,
    ) -> Answer<VersionResponse> {
        Ok(status::version())
    }
    async fn run_pod_sandbox(
        &self,
        request: Request<RunPodSandboxRequest>,
    ) -> Answer<RunPodSandboxResponse> {
        sandboxes::run(&self.0, request.into_inner()).await
    }
    async fn stop_pod_sandbox(
        &self,
        request: Request<StopPodSandboxRequest>,
    ) -> Answer<StopPodSandboxResponse> {
        sandboxes::stop(&self.0, request.into_inner()).await
    }
    async fn remove_pod_sandbox(
        &self,
        request: Request<RemovePodSandboxRequest>,
    ) -> Answer<RemovePodSandboxResponse> {
        sandboxes::remove(&self.0, request.into_inner()).await
    }
    async fn pod_sandbox_status(
        &self,
        request: Request<PodSandboxStatusRequest>,
    ) -> Answer<PodSandboxStatusResponse> {
        sandboxes::status(&self.0, &request.into_inner())
    }
    async fn list_pod_sandbox(
        &self,
        request: Request<ListPodSandboxRequest>,
    ) -> Answer<ListPodSandboxResponse> {
        Ok(sandboxes::list(&self.0, request.into_inner()))
    }
    async fn create_container(
        &self,
        request: Request<CreateContainerRequest>,
    ) -> Answer<CreateContainerResponse> {
        containers::create(&self.0, request.into_inner()).await
    }
    async fn start_container(
        &self,
        request: Request<StartContainerRequest>,
    ) -> Answer<StartContainerResponse> {
        containers::start(&self.0, request.into_inner()).await
    }
    async fn stop_container(
        &self,
        request: Request<StopContainerRequest>,
    ) -> Answer<StopContainerResponse> {
        containers::stop(&self.0, request.into_inner()).await
    }
    async fn remove_container(
        &self,
        request: Request<RemoveContainerRequest>,
    ) -> Answer<RemoveContainerResponse> {
        containers::remove(&self.0, request.into_inner()).await
    }
    async fn list_containers(
        &self,
        request: Request<ListContainersRequest>,
    ) -> Answer<ListContainersResponse> {
        Ok(containers::list(&self.0, request.into_inner()))
    }
    async fn container_status(
        &self,
        request: Request<ContainerStatusRequest>,
    ) -> Answer<ContainerStatusResponse> {
        containers::status(&self.0, &request.into_inner())
    }
    async fn status(
        &self,
        request: Request<StatusRequest>,
    ) -> Answer<StatusResponse> {
        status::status(&self.0, &request.into_inner())
    }
    async fn get_container_events(
        &self,
        _: Request<GetEventsRequest>,
    ) -> Answer<Self::GetContainerEventsStream> {
        Ok(Response::new(events::subscribe(&self.0)))
    }
    async fn runtime_config(
        &self,
        _: Request<RuntimeConfigRequest>,
    ) -> Answer<RuntimeConfigResponse> {
        Ok(status::runtime_config())
    }

    // From here on: not there yet.

    async fn stream_pod_sandboxes(
        &self,
        _: Request<StreamPodSandboxesRequest>,
    ) -> Answer<Self::StreamPodSandboxesStream> {
        unimplemented("StreamPodSandboxes")
    }
    async fn stream_containers(
        &self,
        _: Request<StreamContainersRequest>,
    ) -> Answer<Self::StreamContainersStream> {
        unimplemented("StreamContainers")
    }
    async fn update_container_resources(
        &self,
        _: Request<UpdateContainerResourcesRequest>,
    ) -> Answer<UpdateContainerResourcesResponse> {
        unimplemented("UpdateContainerResources")
    }
    async fn reopen_container_log(
        &self,
        _: Request<ReopenContainerLogRequest>,
    ) -> Answer<ReopenContainerLogResponse> {
        unimplemented("ReopenContainerLog")
    }
    async fn exec_sync(
        &self,
        _: Request<ExecSyncRequest>,
    ) -> Answer<ExecSyncResponse> {
        unimplemented("ExecSync")
    }
    async fn exec(&self, _: Request<ExecRequest>) -> Answer<ExecResponse> {
        unimplemented("Exec")
    }
    async fn attach(
        &self,
        _: Request<AttachRequest>,
    ) -> Answer<AttachResponse> {
        unimplemented("Attach")
    }
    async fn port_forward(
        &self,
        _: Request<PortForwardRequest>,
    ) -> Answer<PortForwardResponse> {
        unimplemented("PortForward")
    }
    async fn container_stats(
        &self,
        _: Request<ContainerStatsRequest>,
    ) -> Answer<ContainerStatsResponse> {
        unimplemented("ContainerStats")
    }
    async fn list_container_stats(
        &self,
        _: Request<ListContainerStatsRequest>,
    ) -> Answer<ListContainerStatsResponse> {
        unimplemented("ListContainerStats")
    }
    async fn stream_container_stats(
        &self,
        _: Request<StreamContainerStatsRequest>,
    ) -> Answer<Self::StreamContainerStatsStream> {
        unimplemented("StreamContainerStats")
    }
    async fn pod_sandbox_stats(
        &self,
        _: Request<PodSandboxStatsRequest>,
    ) -> Answer<PodSandboxStatsResponse> {
        unimplemented("PodSandboxStats")
    }
    async fn list_pod_sandbox_stats(
        &self,
        _: Request<ListPodSandboxStatsRequest>,
    ) -> Answer<ListPodSandboxStatsResponse> {
        unimplemented("ListPodSandboxStats")
    }
    async fn stream_pod_sandbox_stats(
        &self,
        _: Request<StreamPodSandboxStatsRequest>,
    ) -> Answer<Self::StreamPodSandboxStatsStream> {
        unimplemented("StreamPodSandboxStats")
    }
    async fn update_runtime_config(
        &self,
        _: Request<UpdateRuntimeConfigRequest>,
    ) -> Answer<UpdateRuntimeConfigResponse> {
        unimplemented("UpdateRuntimeConfig")
    }
    async fn checkpoint_container(
        &self,
        _: Request<CheckpointContainerRequest>,
    ) -> Answer<CheckpointContainerResponse> {
        unimplemented("CheckpointContainer")
    }
    async fn checkpoint_pod(
        &self,
        _: Request<CheckpointPodRequest>,
    ) -> Answer<CheckpointPodResponse> {
        unimplemented("CheckpointPod")
    }
    async fn restore_pod(
        &self,
        _: Request<RestorePodRequest>,
    ) -> Answer<RestorePodResponse> {
        unimplemented("RestorePod")
    }
    async fn list_metric_descriptors(
        &self,
        _: Request<ListMetricDescriptorsRequest>,
    ) -> Answer<ListMetricDescriptorsResponse> {
        unimplemented("ListMetricDescriptors")
    }
    async fn list_pod_sandbox_metrics(
        &self,
        _: Request<ListPodSandboxMetricsRequest>,
    ) -> Answer<ListPodSandboxMetricsResponse> {
        unimplemented("ListPodSandboxMetrics")
    }
    async fn stream_pod_sandbox_metrics(
        &self,
        _: Request<StreamPodSandboxMetricsRequest>,
    ) -> Answer<Self::StreamPodSandboxMetricsStream> {
        unimplemented("StreamPodSandboxMetrics")
    }
    async fn update_pod_sandbox_resources(
        &self,
        _: Request<UpdatePodSandboxResourcesRequest>,
    ) -> Answer<UpdatePodSandboxResourcesResponse> {
        unimplemented("UpdatePodSandboxResources")
    }
}
