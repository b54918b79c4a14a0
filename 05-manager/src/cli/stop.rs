//! `conman stop`: the stop signal, a grace period, SIGKILL.

use super::client::{Client, said};
use super::print;
use crate::cri::StopContainerRequest;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Seconds between the stop signal and SIGKILL.
    #[arg(short, long, value_name = "SECS", default_value_t = 10)]
    time: u32,
    /// The containers: names, or beginnings of ids.
    #[arg(required = true)]
    ids: Vec<String>,
}

pub(super) async fn stop(mut client: Client, args: Args) -> anyhow::Result<()> {
    for given in &args.ids {
        let container_id = client.find(given).await?.id;
        let request =
            StopContainerRequest { container_id, timeout: args.time.into() };
        client
            .cri
            .stop_container(request)
            .await
            .map_err(said("StopContainer"))?;
        print(&format!("{given}\n"))?;
    }
    Ok(())
}
