//! What this runtime decides from the texts that it is given, before it makes
//! anything: reading, checking, planning. For `fuzz/`, which calls these a
//! thousand times a second with texts that nobody would write, and for the test
//! that replays what was found. The verbs call the same functions.

use crate::affinity::Affinity;
use crate::cgroups::Manager;
use crate::config::{self, Bundle};
use crate::every_process::{EveryProcess, Keyring};
use crate::id::Id;
use crate::plan::Plan;
use crate::process::Planned;
use crate::{device_rules, resources};
use anyhow::{Context, Result};
use std::path::Path;

/// Decides what `create` would make of a config.json in the bundle `dir`.
///
/// # Errors
/// The one line that would be told, which names the field.
///
/// Source: runtime-spec: config.md
pub fn config(dir: &Path, text: &[u8]) -> Result<(), String> {
    told(config::parse_spec(text).and_then(|spec| {
        let bundle = Bundle::new(dir, spec)?;
        let (id, manager) = (Id::parse("fuzz")?, Manager::Cgroupfs);
        Plan::new(bundle, &id, manager, Keyring::New).map(drop)
    }))
}

/// Decides what `exec --process` would make of its file.
///
/// # Errors
/// As [`config`].
///
/// Source: runtime-spec: config.md, "Process"
pub fn process(text: &[u8]) -> Result<(), String> {
    let process = config::parse_process(text).context("--process");
    told(process.and_then(|process| {
        Affinity::plan(&process)?;
        Planned::new(process, EveryProcess::default()).map(drop)
    }))
}

/// Decides what `update --resources` would make of its file.
///
/// # Errors
/// As [`config`].
///
/// Source: runtime-spec: config-linux.md, "Control groups"
pub fn resources(text: &[u8]) -> Result<(), String> {
    told(config::parse_resources(text).and_then(|wanted| {
        resources::limits(&wanted)?;
        device_rules::plan(&wanted).map(drop)
    }))
}

fn told(decided: Result<()>) -> Result<(), String> {
    decided.map_err(|error| crate::log::printable(&format!("{error:#}")))
}
