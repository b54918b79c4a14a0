//! `conman run`: RunPodSandbox, CreateContainer, StartContainer. In the
//! foreground it prints the log and exits with the container's code; that it
//! watches does not matter to the container.

use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::client::{Client, said};
use super::follow::{End, follow};
use super::log::Log;
use super::print;
use super::request::{made_up_name, variable};
use crate::cri::{
    CreateContainerRequest, KeyValue, PodSandboxConfig,
    RemovePodSandboxRequest, RunPodSandboxRequest, StartContainerRequest,
    StopContainerRequest,
};

/// How long a container may take to end after ^C, in seconds. A second ^C does
/// not wait.
const GRACE: i64 = 10;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The container's name; without it, one is made of the program's.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Print the id and leave.
    #[arg(short, long)]
    detach: bool,
    /// Remove the container when it has ended; it takes a conman that waits.
    #[arg(long, conflicts_with = "detach")]
    rm: bool,
    /// The OCI runtime: imageless, runc, crun, or an absolute path; without it,
    /// conmand's default.
    #[arg(long, value_name = "NAME")]
    runtime: Option<String>,
    /// An environment variable.
    #[arg(short, long = "env", value_name = "K=V", value_parser = variable)]
    pub(super) env: Vec<KeyValue>,
    /// The working directory.
    #[arg(short, long, value_name = "DIR")]
    pub(super) workdir: Option<String>,
    /// The host name; without it, the pod's id.
    #[arg(long, value_name = "NAME")]
    pub(super) hostname: Option<String>,
    /// The network: a loopback device, or the host's.
    #[arg(long, value_enum, default_value = "none")]
    pub(super) network: Network,
    /// The root file system: rootfs:/abs/path.
    pub(super) image: String,
    /// The program and its arguments.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(super) command: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Network {
    Host,
    None,
}

/// A container that was started, and what it takes to watch it.
struct Started {
    id: String,
    log: Log,
    end: End,
}

pub(super) async fn run(mut client: Client, args: Args) -> anyhow::Result<u8> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => made_up_name(&args.command)?,
    };
    // From here on ^C waits for its turn, so that nothing half-made stays.
    let interrupts = match args.detach {
        true => None,
        false => {
            Some(signal(SignalKind::interrupt()).context("sigaction(SIGINT)")?)
        }
    };
    let pod = args.pod(&name);
    let pod_id =
        run_pod(&mut client, pod.clone(), args.runtime.as_deref()).await?;
    let request = CreateContainerRequest {
        pod_sandbox_id: pod_id.clone(),
        config: Some(args.container(&name)),
        sandbox_config: Some(pod),
    };
    let started = match start(&mut client, request).await {
        Ok(started) => started,
        Err(error) => {
            // Err: why it did not start is the news, not what stays behind.
            let _ = remove_pod(&mut client, &pod_id).await;
            return Err(error);
        }
    };
    let Some(interrupts) = interrupts else {
        return print(&format!("{}\n", started.id)).map(|()| 0);
    };
    let code = attend(&client, started, interrupts).await?;
    if args.rm {
        remove_pod(&mut client, &pod_id).await?;
    }
    Ok(code)
}

async fn run_pod(
    client: &mut Client,
    config: PodSandboxConfig,
    handler: Option<&str>,
) -> anyhow::Result<String> {
    let runtime_handler = handler.unwrap_or_default().to_owned();
    let request =
        RunPodSandboxRequest { config: Some(config), runtime_handler };
    let answer = client.cri.run_pod_sandbox(request).await;
    Ok(answer.map_err(said("RunPodSandbox"))?.into_inner().pod_sandbox_id)
}

async fn start(
    client: &mut Client,
    request: CreateContainerRequest,
) -> anyhow::Result<Started> {
    let created = client.cri.create_container(request).await;
    let id =
        created.map_err(said("CreateContainer"))?.into_inner().container_id;
    let end = End::of(client, &id).await?;
    let log = Log::open(Path::new(&client.status(&id).await?.log_path))?;
    let start = StartContainerRequest { container_id: id.clone() };
    client.cri.start_container(start).await.map_err(said("StartContainer"))?;
    Ok(Started { id, log, end })
}

/// Prints the log until the container has ended; ^C stops it, and its end is
/// still waited for.
async fn attend(
    client: &Client,
    mut started: Started,
    interrupts: Signal,
) -> anyhow::Result<u8> {
    let stopper =
        tokio::spawn(stop_on(interrupts, client.clone(), started.id.clone()));
    let ended = follow(&mut started.log, &mut started.end).await;
    stopper.abort();
    // A code beyond 8 bits is none that a process can have.
    Ok(u8::try_from(ended?.exit_code).unwrap_or(u8::MAX))
}

async fn stop_on(mut interrupts: Signal, client: Client, container_id: String) {
    for timeout in [GRACE, 0] {
        interrupts.recv().await;
        let (mut cri, container_id) =
            (client.cri.clone(), container_id.clone());
        // Not waited for, so that a second ^C is heard; an error shows in that
        // the container goes on.
        tokio::spawn(async move {
            cri.stop_container(StopContainerRequest { container_id, timeout })
                .await
        });
    }
}

async fn remove_pod(client: &mut Client, id: &str) -> anyhow::Result<()> {
    let request = RemovePodSandboxRequest { pod_sandbox_id: id.to_owned() };
    client
        .cri
        .remove_pod_sandbox(request)
        .await
        .map(drop)
        .map_err(said("RemovePodSandbox"))
}
