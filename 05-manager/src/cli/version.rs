//! `conman version`: who asks, and who answers.

use super::client::{Client, said};
use super::print;
use crate::cri::VersionRequest;

pub(super) async fn version(mut client: Client) -> anyhow::Result<()> {
    let answer = client.cri.version(VersionRequest::default()).await;
    let server = answer.map_err(said("Version"))?.into_inner();
    print(&format!(
        "conman {}\n{} {} (CRI {})\n",
        env!("CARGO_PKG_VERSION"),
        server.runtime_name,
        server.runtime_version,
        server.runtime_api_version
    ))
}
