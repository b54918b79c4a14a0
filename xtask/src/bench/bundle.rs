//! The bundles that everybody runs: one static program, and a configuration
//! that is not ours, so that nobody is asked for more than another.

use crate::cargo::repository;
use crate::root::succeed;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What podman 4.3.1 wrote for `podman run --network none --rootfs rootfs /true`
/// (cgroupfs, k8s-file), with the limits of our test for podman, written down by
/// a runtime that kept a copy. Only paths are changed: the root file system's,
/// and those of the four files that podman makes beside it.
const PODMAN: &str = include_str!("../../bench/podman.json");

/// The programs in each root file system.
const PROGRAMS: [&str; 2] = ["true", "wait"];
/// The files that podman's configuration binds into the container.
const FILES: [&str; 3] = ["hosts", "hostname", ".containerenv"];

/// Where the bundles are.
pub(super) struct Bundles {
    folder: PathBuf,
}

impl Bundles {
    /// In this folder, made or not.
    pub(super) fn at(folder: &Path) -> Bundles {
        Bundles { folder: folder.to_owned() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the runtimes keep what they know of their containers.
    pub(super) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// A static true, in the configuration that `runc spec` proposes.
    pub(super) fn default(&self) -> PathBuf {
        self.folder.join("default")
    }

    /// The same configuration, for a program that waits.
    pub(super) fn waiting(&self) -> PathBuf {
        self.folder.join("waiting")
    }

    /// A static true in podman's configuration.
    pub(super) fn podman(&self) -> PathBuf {
        self.folder.join("podman")
    }

    /// Makes them anew.
    ///
    /// # Errors
    /// rustc cannot link statically (package libc6-dev), or runc is missing.
    pub(super) fn make(&self) -> Result<()> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)
                .with_context(|| format!("remove {}", self.folder.display()))?;
        }
        make_dir(&self.state())?;
        for bundle in [self.default(), self.waiting(), self.podman()] {
            make_rootfs(&bundle.join("rootfs"))?;
        }
        propose(&self.default(), "/true")?;
        propose(&self.waiting(), "/wait")?;
        make_like_podman(&self.podman())
    }
}

fn make_rootfs(rootfs: &Path) -> Result<()> {
    make_dir(rootfs)?;
    for program in PROGRAMS {
        let mut rustc = Command::new("rustc");
        rustc.current_dir(repository()).args(["--edition=2024", "-O"]);
        for option in
            ["target-feature=+crt-static", "panic=abort", "strip=symbols"]
        {
            rustc.args(["-C", option]);
        }
        rustc.arg("-o").arg(rootfs.join(program));
        succeed(rustc.arg(format!("xtask/bench/{program}.rs")))?;
    }
    Ok(())
}

/// Takes runc's proposal, and changes it from a shell on a terminal to our
/// program.
fn propose(bundle: &Path, program: &str) -> Result<()> {
    succeed(Command::new("runc").arg("spec").arg("--bundle").arg(bundle))?;
    let config = bundle.join("config.json");
    let name = config.display().to_string();
    let text = fs::read_to_string(&config).with_context(|| name.clone())?;
    let mut spec: Value = serde_json::from_str(&text).context(name.clone())?;
    spec["process"]["terminal"] = json!(false);
    spec["process"]["args"] = json!([program]);
    fs::write(&config, spec.to_string()).context(name)
}

fn make_like_podman(bundle: &Path) -> Result<()> {
    let userdata = bundle.join("userdata");
    make_dir(&userdata.join("shm"))?;
    for file in FILES {
        let file = userdata.join(file);
        fs::write(&file, "").with_context(|| file.display().to_string())?;
    }
    let config = bundle.join("config.json");
    let here = bundle.display().to_string();
    fs::write(&config, PODMAN.replace("BUNDLE", &here))
        .with_context(|| config.display().to_string())
}

fn make_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("mkdir {}", dir.display()))
}
