//! `conman rm`: removes a container, and with it the pod that `conman run` made
//! for it alone.

use anyhow::bail;

use super::client::{Client, MADE_BY_RUN, said};
use super::print;
use crate::cri::{
    Container, ContainerState, PodSandboxStatusRequest, RemoveContainerRequest,
    RemovePodSandboxRequest,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Kill what still runs.
    #[arg(short, long)]
    force: bool,
    /// The containers: names, or beginnings of ids.
    #[arg(required = true)]
    ids: Vec<String>,
}

pub(super) async fn rm(mut client: Client, args: Args) -> anyhow::Result<()> {
    for given in &args.ids {
        let container = client.find(given).await?;
        if !args.force && container.state() == ContainerState::ContainerRunning
        {
            bail!(
                "{given} is running\n\
                 hint: conman stop {given}, or conman rm -f {given}"
            );
        }
        remove(&mut client, container).await?;
        print(&format!("{given}\n"))?;
    }
    Ok(())
}

async fn remove(
    client: &mut Client,
    container: Container,
) -> anyhow::Result<()> {
    let pod_sandbox_id = container.pod_sandbox_id;
    if is_made_by_run(client, &pod_sandbox_id).await? {
        let request = RemovePodSandboxRequest { pod_sandbox_id };
        let answer = client.cri.remove_pod_sandbox(request).await;
        return answer.map(drop).map_err(said("RemovePodSandbox"));
    }
    let request = RemoveContainerRequest { container_id: container.id };
    client
        .cri
        .remove_container(request)
        .await
        .map(drop)
        .map_err(said("RemoveContainer"))
}

async fn is_made_by_run(
    client: &mut Client,
    pod_sandbox_id: &str,
) -> anyhow::Result<bool> {
    let pod_sandbox_id = pod_sandbox_id.to_owned();
    let request = PodSandboxStatusRequest { pod_sandbox_id, verbose: false };
    let answer = client.cri.pod_sandbox_status(request).await;
    let pod = answer.map_err(said("PodSandboxStatus"))?.into_inner().status;
    Ok(pod.is_some_and(|pod| pod.annotations.contains_key(MADE_BY_RUN)))
}
