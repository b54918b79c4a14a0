//! What a container's state directory remembers between two calls of the
//! runtime: `state.json`. It holds facts that do not change by themselves; the
//! status is observed, never stored (see `container.rs`).

use crate::cgroups::Place;
use crate::config::Bundle;
use crate::every_process::EveryProcess;
use crate::id::Id;
use crate::located;
use crate::plan::Plan;
use anyhow::{Context, Error, Result};
use namespaces::InCall;
use oci_spec::runtime::{Hooks, Process};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The file's name inside the state directory.
pub(crate) const FILE: &str = "state.json";

/// The contents of `state.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct State {
    pub(crate) oci_version: String,
    pub(crate) id: String,
    /// Absent until init exists, so that a crash in between leaves a readable
    /// state.
    pub(crate) init: Option<Init>,
    pub(crate) bundle: PathBuf,
    pub(crate) rootfs: PathBuf,
    /// RFC 3339 with nanoseconds, UTC.
    pub(crate) created: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
    /// As it was configured; `exec` makes others like it.
    #[serde(default)]
    pub(crate) process: Option<Process>,
    /// What `exec` gives to those others too.
    #[serde(default)]
    pub(crate) every_process: EveryProcess,
    /// As they were configured: config.json is read by `create` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hooks: Option<Hooks>,
    /// What has to be removed with the container.
    pub(crate) cgroup: Place,
}

/// Names one process for ever: a pid alone is reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Init {
    pub(crate) pid: i32,
    /// Clock ticks after boot: field 22 of `/proc/PID/stat`.
    pub(crate) start_time: u64,
}

impl State {
    /// Notes what is known before init exists.
    pub(crate) fn new(plan: &Plan, id: &Id) -> Self {
        let Bundle { dir, rootfs, spec } = &plan.bundle;
        let annotations = spec.annotations().iter().flatten();
        Self {
            oci_version: spec.version().clone(),
            id: id.as_str().to_owned(),
            init: None,
            bundle: dir.clone(),
            rootfs: rootfs.clone(),
            created: jiff::Timestamp::now().to_string(),
            annotations: annotations
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
            process: Some(plan.process.config.clone()),
            every_process: plan.process.common.clone(),
            hooks: spec.hooks().clone(),
            cgroup: plan.cgroup.clone(),
        }
    }

    /// Reads `state.json` of a state directory; `None` if it was not written
    /// yet.
    pub(crate) fn load(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
                return Ok(None);
            }
            result => result.in_call(|| format!("read({path:?})"))?,
        };
        let json = serde_json::from_slice(&text).map_err(Error::new);
        let state = json.and_then(|json| Ok(located::read(&json)?));
        state.map(Some).with_context(|| path.display().to_string())
    }

    /// Replaces `state.json` in one step: a reader sees the old one or the new
    /// one, never a half.
    pub(crate) fn save(&self, dir: &Path) -> Result<()> {
        let text = serde_json::to_vec(self).context("state.json")?;
        replace(&dir.join(FILE), &text)
    }
}

/// Writes a file under a temporary name in the same directory and renames it.
///
/// Not synced: a crash of the machine ends the containers too, and /run starts
/// empty; a crash of the runtime loses nothing that was written. (A sync costs
/// milliseconds where /run is on a disk.)
///
/// Source: rename(2), "If newpath already exists, it will be atomically
/// replaced"
// ANCHOR: replace
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = fs::write(&temporary, contents)
        .in_call(|| format!("write({temporary:?})"))
        .and_then(|()| {
            fs::rename(&temporary, path)
                .in_call(|| format!("rename({temporary:?}, {path:?})"))
        });
    if written.is_err() {
        // The error of the write is the one to tell; the temporary file may not
        // even exist.
        let _ = fs::remove_file(&temporary);
    }
    Ok(written?)
}
// ANCHOR_END: replace

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_replace_leaves_no_temporary_file() {
        let dir = testkit_dir();
        let target = dir.join("state.json");
        fs::create_dir_all(target.join("in the way")).unwrap();
        assert!(replace(&target, b"x").is_err());
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
        fs::remove_dir_all(dir).unwrap();
    }

    fn testkit_dir() -> PathBuf {
        let dir = std::env::temp_dir()
            .join(format!("imageless-state-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        dir
    }
}
