//! CRI as a kubelet speaks it: the requests that the tests make, each of which
//! has to succeed.

use manager::cri::runtime_service_client::RuntimeServiceClient;
use manager::cri::*;
use testkit::{Need, Scratch, requires, runtimes};
use tonic::transport::Channel;

use super::Conmand;

pub const NEEDS: [Need; 2] = [Need::Root, Need::Program("runc")];

pub type Cri = RuntimeServiceClient<Channel>;

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

/// Runs a test on each runtime, on a conmand that has to be empty afterwards.
pub fn on_each_runtime(test: impl AsyncFn(&Conmand<'_>, Cri)) {
    if !requires(&NEEDS) {
        return;
    }
    for runtime in runtimes() {
        eprintln!("on {}", runtime.name);
        let scratch = Scratch::new();
        let conmand = Conmand::start(&scratch, &runtime);
        block_on(async { test(&conmand, conmand.cri().await).await });
        conmand.demand_nothing_left(&[]);
    }
}

pub fn pod(name: &str) -> PodSandboxConfig {
    let metadata = PodSandboxMetadata {
        name: name.to_owned(),
        uid: "1".to_owned(),
        namespace: "default".to_owned(),
        attempt: 0,
    };
    PodSandboxConfig { metadata: Some(metadata), ..Default::default() }
}

pub fn container(
    conmand: &Conmand<'_>,
    name: &str,
    script: &str,
) -> ContainerConfig {
    let metadata = ContainerMetadata { name: name.to_owned(), attempt: 0 };
    let image = ImageSpec { image: conmand.image(), ..Default::default() };
    ContainerConfig {
        metadata: Some(metadata),
        image: Some(image),
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        ..Default::default()
    }
}

pub async fn run_pod(cri: &mut Cri, config: PodSandboxConfig) -> String {
    let request =
        RunPodSandboxRequest { config: Some(config), ..Default::default() };
    cri.run_pod_sandbox(request).await.unwrap().into_inner().pod_sandbox_id
}

pub fn creation(pod: &str, config: ContainerConfig) -> CreateContainerRequest {
    CreateContainerRequest {
        pod_sandbox_id: pod.to_owned(),
        config: Some(config),
        sandbox_config: None,
    }
}

pub async fn create(
    cri: &mut Cri,
    pod: &str,
    config: ContainerConfig,
) -> String {
    let created = cri.create_container(creation(pod, config)).await;
    created.unwrap().into_inner().container_id
}

pub async fn start(cri: &mut Cri, id: &str) {
    let request = StartContainerRequest { container_id: id.to_owned() };
    cri.start_container(request).await.unwrap();
}

pub async fn remove_pod(cri: &mut Cri, pod: &str) {
    let request = RemovePodSandboxRequest { pod_sandbox_id: pod.to_owned() };
    cri.remove_pod_sandbox(request).await.unwrap();
}

pub async fn states(cri: &mut Cri) -> Vec<ContainerState> {
    let list = cri.list_containers(ListContainersRequest::default()).await;
    let list = list.unwrap().into_inner().containers;
    list.iter().map(Container::state).collect()
}
