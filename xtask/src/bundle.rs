//! The bundles that `bench` and `ship` run: a static program, and a
//! configuration that is not ours, so that nobody is asked for more than
//! another.

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
const PODMAN: &str = include_str!("../bench/podman.json");

/// The programs in each root file system.
const PROGRAMS: [&str; 2] = ["true", "wait"];
/// Where a runtime makes mount points, as root. In directories of ours we can
/// remove them.
const MOUNT_POINTS_IN: [&str; 2] = ["etc", "run"];
/// The files that podman's configuration binds into the container.
const FILES: [&str; 3] = ["hosts", "hostname", ".containerenv"];

/// Where the bundles are.
pub(crate) struct Bundles {
    folder: PathBuf,
}

impl Bundles {
    /// In this folder, made or not.
    pub(crate) fn at(folder: &Path) -> Bundles {
        Bundles { folder: folder.to_owned() }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the runtimes keep what they know of their containers.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    /// A static true, in the configuration that `runc spec` proposes.
    pub(crate) fn default(&self) -> PathBuf {
        self.folder.join("default")
    }

    /// The same configuration, for a program that waits.
    pub(crate) fn waiting(&self) -> PathBuf {
        self.folder.join("waiting")
    }

    /// A static true in podman's configuration.
    pub(crate) fn podman(&self) -> PathBuf {
        self.folder.join("podman")
    }

    /// The same configuration, for a program that waits.
    pub(crate) fn podman_waiting(&self) -> PathBuf {
        self.folder.join("podman-waiting")
    }

    /// Makes them anew. What runtimes keep stays: they may have to remove a
    /// container that was left.
    ///
    /// # Errors
    /// rustc cannot link statically (package libc6-dev), or runc is missing.
    pub(crate) fn make(&self) -> Result<()> {
        let bundles = [self.default(), self.waiting()];
        let like_podman = [self.podman(), self.podman_waiting()];
        let programs = self.programs();
        let old = bundles.iter().chain(&like_podman).chain([&programs]);
        for folder in old.filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder)
                .with_context(|| format!("remove {}", folder.display()))?;
        }
        make_dir(&self.state())?;
        self.compile()?;
        for bundle in bundles {
            self.make_rootfs(&bundle)?;
            propose(&bundle)?;
        }
        for bundle in like_podman {
            self.make_rootfs(&bundle)?;
            make_like_podman(&bundle)?;
        }
        set_program(&self.waiting(), "/wait")?;
        set_program(&self.podman_waiting(), "/wait")
    }

    fn programs(&self) -> PathBuf {
        self.folder.join("programs")
    }

    fn compile(&self) -> Result<()> {
        make_dir(&self.programs())?;
        for program in PROGRAMS {
            compile(program, &self.programs().join(program))?;
        }
        Ok(())
    }

    fn make_rootfs(&self, bundle: &Path) -> Result<()> {
        let rootfs = bundle.join("rootfs");
        make_dir(&rootfs)?;
        for dir in MOUNT_POINTS_IN {
            make_dir(&rootfs.join(dir))?;
        }
        for program in PROGRAMS {
            fs::copy(self.programs().join(program), rootfs.join(program))
                .with_context(|| format!("copy {program}"))?;
        }
        Ok(())
    }
}

/// Compiles one of [`PROGRAMS`], static.
fn compile(program: &str, to: &Path) -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(repository()).args(["--edition=2024", "-O"]);
    for option in ["target-feature=+crt-static", "panic=abort", "strip=symbols"]
    {
        rustc.args(["-C", option]);
    }
    rustc.arg("-o").arg(to);
    succeed(rustc.arg(format!("xtask/bench/{program}.rs")))
}

/// Takes runc's proposal, and changes it from a shell on a terminal to a
/// program of ours.
fn propose(bundle: &Path) -> Result<()> {
    succeed(Command::new("runc").arg("spec").arg("--bundle").arg(bundle))?;
    change(bundle, |spec| spec["process"]["terminal"] = json!(false))?;
    set_program(bundle, "/true")
}

fn make_like_podman(bundle: &Path) -> Result<()> {
    let userdata = bundle.join("userdata");
    make_dir(&userdata.join("shm"))?;
    for file in FILES {
        write(&userdata.join(file), "")?;
    }
    let here = bundle.display().to_string();
    // In its cgroup each bundle is alone.
    let id = bundle.file_name().context("a bundle has a name")?;
    let text = PODMAN.replace("BUNDLE", &here);
    let text = text.replace("libpod-ID", &format!("libpod-{}", id.display()));
    write(&bundle.join("config.json"), &text)
}

fn set_program(bundle: &Path, program: &str) -> Result<()> {
    change(bundle, |spec| spec["process"]["args"] = json!([program]))
}

/// Changes a config.json.
fn change(bundle: &Path, how: impl FnOnce(&mut Value)) -> Result<()> {
    let config = bundle.join("config.json");
    let name = config.display().to_string();
    let text = fs::read_to_string(&config).with_context(|| name.clone())?;
    let mut spec: Value = serde_json::from_str(&text).context(name)?;
    how(&mut spec);
    write(&config, &spec.to_string())
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| file.display().to_string())
}

fn make_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("mkdir {}", dir.display()))
}
