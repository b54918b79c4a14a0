//! What `state` and `list` print: the only view of a container that every OCI
//! runtime offers. It is an observation of this moment; a container that was
//! running when it was printed may be stopped when it is read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

/// A container as its runtime sees it. There is no exit code in it, in any
/// runtime.
///
/// Source: runtime-spec: runtime.md, "State"; `created` is an addition that
/// runc, crun and youki share.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct State {
    /// The container's id.
    pub id: String,
    /// Where in its life the container is.
    pub status: Status,
    /// The container process, as the host numbers it; none once it has ended.
    #[serde(default, deserialize_with = "zero_is_none")]
    pub pid: Option<i32>,
    /// The bundle's directory, absolute.
    pub bundle: PathBuf,
    /// When the container was created: RFC 3339.
    #[serde(default)]
    pub created: Option<String>,
    /// The annotations of config.json.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The state of a container's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The runtime is at work on `create`.
    Creating,
    /// The environment is there and init waits for `start`.
    Created,
    /// The user's program runs.
    Running,
    /// Its cgroup is frozen: not in the spec, but in every runtime.
    Paused,
    /// The container process has ended.
    Stopped,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Status::Creating => "creating",
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Stopped => "stopped",
        })
    }
}

/// runc and crun write `"pid": 0` for a stopped container, where the spec lets
/// the field be absent.
fn zero_is_none<'de, D: Deserializer<'de>>(
    pid: D,
) -> Result<Option<i32>, D::Error> {
    Ok(Option::deserialize(pid)?.filter(|&pid| pid != 0))
}

/// A Go program prints an empty map as `null`.
fn null_is_empty<'de, D: Deserializer<'de>>(
    annotations: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(annotations)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_container_has_no_pid() {
        let printed = r#"{"ociVersion": "1.0.2", "id": "a", "pid": 0,
            "status": "stopped", "bundle": "/b", "rootfs": "/b/rootfs",
            "created": "2026-11-23T18:41:08Z", "owner": ""}"#;
        let state: State = serde_json::from_str(printed).unwrap();
        assert_eq!((state.status, state.pid), (Status::Stopped, None));
    }

    #[test]
    fn null_annotations_are_none() {
        let printed = r#"{"id": "a", "pid": 4, "status": "created",
            "bundle": "/b", "annotations": null}"#;
        let state: State = serde_json::from_str(printed).unwrap();
        assert_eq!((state.pid, state.annotations.len()), (Some(4), 0));
    }

    #[test]
    fn a_status_that_no_runtime_has_is_refused() {
        let printed = r#"{"id":"a","pid":4,"status":"dozing","bundle":"/b"}"#;
        assert!(serde_json::from_str::<State>(printed).is_err());
    }
}
