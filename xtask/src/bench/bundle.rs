//! The bundle that everybody runs: one static program, and the configuration
//! that runc itself proposes, so that nobody is asked for more than another.

use crate::cargo::repository;
use crate::root::succeed;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Makes the bundle anew in `folder`.
///
/// # Errors
/// rustc cannot link statically (package libc6-dev), or runc is missing.
pub(super) fn make(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("remove {}", folder.display()))?;
    }
    let rootfs = folder.join("rootfs");
    fs::create_dir_all(&rootfs)
        .with_context(|| format!("mkdir {}", rootfs.display()))?;
    let mut rustc = Command::new("rustc");
    rustc.current_dir(repository()).args(["--edition=2024", "-O"]);
    for option in ["target-feature=+crt-static", "panic=abort", "strip=symbols"]
    {
        rustc.args(["-C", option]);
    }
    succeed(
        rustc.arg("-o").arg(rootfs.join("true")).arg("xtask/bench/true.rs"),
    )?;
    succeed(Command::new("runc").arg("spec").arg("--bundle").arg(folder))?;
    run_true(&folder.join("config.json"))
}

/// Changes the proposal from a shell on a terminal to our program.
fn run_true(config: &Path) -> Result<()> {
    let name = config.display().to_string();
    let text = fs::read_to_string(config).with_context(|| name.clone())?;
    let mut spec: Value = serde_json::from_str(&text).context(name.clone())?;
    spec["process"]["terminal"] = json!(false);
    spec["process"]["args"] = json!(["/true"]);
    fs::write(config, spec.to_string()).context(name)
}
