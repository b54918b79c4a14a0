//! `conman inspect`: a container's CRI status and what conmand adds to it, as
//! JSON with protobuf's names.

use anyhow::Context;
use serde_json::{Value, json};

use super::client::Client;
use super::print;
use crate::cri::ContainerStatusResponse;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The container: its name, or the beginning of its id.
    id: String,
}

pub(super) async fn inspect(
    mut client: Client,
    args: Args,
) -> anyhow::Result<()> {
    let id = client.find(&args.id).await?.id;
    let shown = shown(client.inspect(&id).await?)?;
    print(&format!("{shown:#}\n"))
}

/// Puts the words of CRI's enums in place of their numbers, and unpacks the
/// JSON in the verbose part.
fn shown(answer: ContainerStatusResponse) -> anyhow::Result<Value> {
    let status =
        answer.status.context("ContainerStatus: an answer without a status")?;
    let mut value = serde_json::to_value(&status).context("ContainerStatus")?;
    value["state"] = json!(status.state().as_str_name());
    value["stopSignal"] = json!(status.stop_signal().as_str_name());
    let info = answer.info.get("info").map(String::as_str).unwrap_or("null");
    let info: Value =
        serde_json::from_str(info).context("ContainerStatus: info")?;
    Ok(json!({ "status": value, "info": info }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cri::{ContainerState, ContainerStatus};

    #[test]
    fn states_are_words_and_the_verbose_part_is_json() {
        let status = ContainerStatus {
            state: ContainerState::ContainerExited.into(),
            exit_code: 7,
            ..Default::default()
        };
        let info = [("info".to_owned(), r#"{"pid":42}"#.to_owned())].into();
        let shown =
            shown(ContainerStatusResponse { status: Some(status), info })
                .unwrap();
        assert_eq!(shown["status"]["state"], "CONTAINER_EXITED");
        assert_eq!(shown["status"]["exitCode"], 7);
        assert_eq!(shown["info"]["pid"], 42);
    }
}
