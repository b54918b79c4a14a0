//! `conman logs`: prints what a container wrote. The log is a file that CRI
//! names, so it is read without conmand.

use std::path::Path;

use super::client::Client;
use super::follow::{End, follow, has_ended};
use super::log::Log;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Go on printing until the container has ended.
    #[arg(short, long)]
    follow: bool,
    /// The container: its name, or the beginning of its id.
    id: String,
}

pub(super) async fn logs(mut client: Client, args: Args) -> anyhow::Result<()> {
    let id = client.find(&args.id).await?.id;
    // Subscribed before the look at the state: an end in between is in one of
    // them.
    let mut end = End::of(&mut client, &id).await?;
    let status = client.status(&id).await?;
    let mut log = Log::open(Path::new(&status.log_path))?;
    if args.follow && !has_ended(&status) {
        return follow(&mut log, &mut end).await.map(drop);
    }
    log.print_new().await
}
