//! The connection to conmand, and containers by the names that people give
//! them.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::cri::runtime_service_client::RuntimeServiceClient;
use crate::cri::{
    Container, ContainerStatus, ContainerStatusRequest,
    ContainerStatusResponse, ListContainersRequest,
};
use crate::error::strace;

/// What marks a pod that `conman run` made: it goes with its container.
pub(super) const MADE_BY_RUN: &str = "conman/made-by-run";

/// A connected client.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// CRI's runtime service.
    pub(super) cri: RuntimeServiceClient<Channel>,
}

impl Client {
    /// Connects to the socket.
    ///
    /// # Errors
    /// ENOENT, ECONNREFUSED: nobody serves it. EACCES: only its owner may.
    pub(super) async fn connect(socket: &Path) -> anyhow::Result<Self> {
        let socket = std::path::absolute(socket).context("getcwd()")?;
        // tonic connects later, and hides the reason when it fails.
        if let Err(error) = tokio::net::UnixStream::connect(&socket).await {
            let call = strace(&format!("connect({socket:?})"), &error);
            bail!(
                "{call}\nhint: start one: conmand --socket {}",
                socket.display()
            );
        }
        let endpoint =
            Endpoint::from_shared(format!("unix://{}", socket.display()))
                .with_context(|| format!("{socket:?}"))?;
        let channel = endpoint
            .connect()
            .await
            .with_context(|| format!("connect({socket:?})"))?;
        Ok(Self { cri: RuntimeServiceClient::new(channel) })
    }

    /// Lists all containers, the oldest first.
    pub(super) async fn containers(
        &mut self,
    ) -> anyhow::Result<Vec<Container>> {
        let all =
            self.cri.list_containers(ListContainersRequest::default()).await;
        let mut all =
            all.map_err(said("ListContainers"))?.into_inner().containers;
        all.sort_by_key(|container| container.created_at);
        Ok(all)
    }

    /// Finds a container by its name, or by a prefix of its id that fits no
    /// other.
    pub(super) async fn find(
        &mut self,
        given: &str,
    ) -> anyhow::Result<Container> {
        let all = self.containers().await?;
        let named = |container: &&Container| name_of(container) == given;
        let prefixed = |container: &&Container| container.id.starts_with(given);
        let mut fitting: Vec<_> = all.iter().filter(named).collect();
        if fitting.is_empty() && !given.is_empty() {
            fitting = all.iter().filter(prefixed).collect();
        }
        match fitting[..] {
            [container] => Ok(container.clone()),
            [] => bail!("no container {given:?}\nhint: conman ps -a lists all"),
            _ => {
                let ids: Vec<_> =
                    fitting.iter().map(|c| short(&c.id)).collect();
                bail!("{given:?} fits several containers: {}", ids.join(", "))
            }
        }
    }

    /// Asks for all that is known of a container.
    pub(super) async fn inspect(
        &mut self,
        id: &str,
    ) -> anyhow::Result<ContainerStatusResponse> {
        let request = ContainerStatusRequest {
            container_id: id.to_owned(),
            verbose: true,
        };
        let answer = self.cri.container_status(request).await;
        Ok(answer.map_err(said("ContainerStatus"))?.into_inner())
    }

    /// Asks for a container's status.
    pub(super) async fn status(
        &mut self,
        id: &str,
    ) -> anyhow::Result<ContainerStatus> {
        self.inspect(id)
            .await?
            .status
            .context("ContainerStatus: an answer without a status")
    }
}

/// Turns a request's failure into its name and the server's words.
pub(super) fn said(request: &'static str) -> impl Fn(Status) -> anyhow::Error {
    move |status| match status.code() {
        Code::Unavailable | Code::Unknown
            if status.message().contains("transport") =>
        {
            anyhow!("{request}: conmand has gone: {}", status.message())
        }
        _ => anyhow!("{request}: {}", status.message()),
    }
}

/// Returns the name of a container.
pub(super) fn name_of(container: &Container) -> &str {
    container
        .metadata
        .as_ref()
        .map(|metadata| metadata.name.as_str())
        .unwrap_or_default()
}

/// Returns as much of an id as people can read: crictl's 13 digits.
pub(super) fn short(id: &str) -> &str {
    id.get(..13).unwrap_or(id)
}
