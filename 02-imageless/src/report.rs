//! What `state` and `list` tell of a container: the runtime-spec's state, with
//! the status as it is now.

use crate::container::{Container, Status};
use anyhow::Result;
use namespaces::InCall;
use nix::unistd::{Uid, User};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Source: runtime-spec: runtime.md, "State"; `rootfs`, `created` and
/// `owner` as runc adds them
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report<'a> {
    oci_version: &'a str,
    pub(crate) id: &'a str,
    /// 0 unless init lives.
    pub(crate) pid: i32,
    pub(crate) status: String,
    pub(crate) bundle: &'a Path,
    rootfs: &'a Path,
    pub(crate) created: &'a str,
    pub(crate) owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a BTreeMap<String, String>>,
}

/// Prints what somebody asked for. A reader who has seen enough, such as
/// head(1), may close the pipe: no error.
pub(crate) fn print(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(cause) if cause.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result.in_call(|| "write(stdout)".into())?),
    }
}

impl<'a> Report<'a> {
    /// Looks at a container. One that has nothing but its directory yet is
    /// "creating".
    pub(crate) fn of(container: &'a Container) -> Self {
        let status = container.status();
        let state = container.state.as_ref();
        let pid = container
            .init()
            .filter(|_| status != Status::Stopped)
            .map_or(0, |init| init.pid);
        let nowhere = Path::new("");
        Self {
            oci_version: state.map_or("", |state| &state.oci_version),
            id: container.id(),
            pid,
            status: status.to_string(),
            bundle: state.map_or(nowhere, |state| &state.bundle),
            rootfs: state.map_or(nowhere, |state| &state.rootfs),
            created: state.map_or("", |state| &state.created),
            owner: owner(&container.dir),
            annotations: state
                .map(|state| &state.annotations)
                .filter(|all| !all.is_empty()),
        }
    }
}

/// The user who has made the container; `#UID` for one without a name. Empty if
/// it was deleted while we look.
fn owner(dir: &Path) -> String {
    let Ok(metadata) = dir.metadata() else { return String::new() };
    let uid = metadata.uid();
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name,
        Ok(None) | Err(_) => format!("#{uid}"),
    }
}
