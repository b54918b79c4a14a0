//! A virtual machine with pure cgroup v2, for the tests that need one: many
//! machines still have v1 or the hybrid layout. qemu boots Debian's own kernel
//! with an initramfs that holds nothing but busybox, runc, systemd with its bus,
//! and our programs and tests.

mod initramfs;
mod kernel;
mod lane;
mod qemu;

use crate::cargo::{Profile, binaries, cargo, link_statically};
use crate::package::{self, Missing, Need};
use crate::progress::step;
use crate::root::shown;
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use initramfs::Initramfs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What to do with the machine.
#[derive(Subcommand)]
pub(crate) enum Vm {
    /// Run the tests of the stages that touch cgroups in a machine with pure cgroup v2
    Test {
        /// Only these test programs: the names behind `--test` of cargo test
        programs: Vec<String>,
    },
    /// Open a shell in that machine; `exit` turns it off
    Shell,
}

/// The packages whose tests make sense in the machine: those that create cgroups.
const PACKAGES: [&str; 2] = ["namespaces", "imageless"];

/// Programs of this machine that the tests compare ours with or work by. Those
/// of busybox that have the same names know fewer options; a test whose program
/// is not there skips itself.
const PEERS: [&str; 21] = [
    "runc",
    "sh",
    "env",
    "readlink",
    "head",
    "unshare",
    "nsenter",
    "umount",
    "setpriv",
    "setsid",
    "script",
    "ipcmk",
    "findmnt",
    "lsns",
    "newuidmap",
    "newgidmap",
    "/lib/systemd/systemd",
    // From 255 (2023-12) on, what systemd starts begins as this.
    "/usr/lib/systemd/systemd-executor",
    "systemctl",
    "busctl",
    "dbus-daemon",
];

/// Who may say what on the message bus.
const BUS: [&str; 2] = [
    "/usr/share/dbus-1/system.conf",
    "/usr/share/dbus-1/system.d/org.freedesktop.systemd1.conf",
];

/// Runs `cargo xtask vm ..`.
pub(crate) fn vm(vm: &Vm) -> Result<()> {
    package::ensure(&[Need::Vm], Missing::Install)?;
    let mut built = step("build the programs of stages 1 and 2", static_ones)?;
    if let Vm::Test { programs } = vm {
        let tests = test_arguments(programs);
        built.extend(step("build their tests", || build(cargo(&tests)))?);
    }
    let work = binaries(Profile::Dev)?.with_file_name("vm");
    let kernel = kernel::unpacked(&work)?;
    let lane = match vm {
        Vm::Test { .. } => lane::tests(&built),
        Vm::Shell => lane::shell(&built),
    };
    let peers: Vec<_> =
        PEERS.iter().filter_map(|name| package::on_path(name)).collect();
    let initrd = step("pack the machine", || {
        Initramfs::new(&work.join("root"))?
            .with_modules(&kernel::modules(&work)?)?
            .with_programs(
                built.iter().map(|artifact| (&artifact.file, &artifact.path)),
            )?
            .with_programs(peers.iter().map(|path| (path, path)))?
            .with_files(&BUS)?
            .with_lane(&lane)?
            .pack(&work.join("initrd.cpio"))
    })?;
    match vm {
        Vm::Test { .. } => qemu::boot_and_report(&kernel, &initrd),
        Vm::Shell => qemu::boot_with_terminal(&kernel, &initrd),
    }
}

/// Builds all tests, or only these programs.
fn test_arguments(programs: &[String]) -> Vec<&str> {
    let mut args = vec!["test", "--quiet", "--no-run"];
    if !programs.is_empty() {
        args.extend(programs.iter().flat_map(|name| ["--test", name]));
    }
    args
}

/// Builds our programs, static: a test starts them again and again, and to be
/// linked first is most of what a short program does where each instruction is
/// translated. In the guest they are where the tests look, beside themselves.
fn static_ones() -> Result<Vec<Artifact>> {
    let mut cargo = cargo(&["build", "--quiet", "--bins", "--examples"]);
    let target = link_statically(&mut cargo);
    let mut built = build(cargo)?;
    for artifact in &mut built {
        let parts = artifact.file.iter().filter(|part| **part != *target);
        artifact.path = parts.collect();
    }
    Ok(built)
}

/// A program that cargo built for us.
struct Artifact {
    /// Its name in Cargo.toml.
    target: String,
    file: PathBuf,
    /// Where it is in the guest.
    path: PathBuf,
    is_test: bool,
}

/// Lets cargo build, and asks it where the programs are.
fn build(mut cargo: Command) -> Result<Vec<Artifact>> {
    cargo.arg("--message-format=json-render-diagnostics");
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    let output =
        cargo.stderr(Stdio::inherit()).output().context(shown(&cargo))?;
    if !output.status.success() {
        bail!("{}: {}", shown(&cargo), output.status);
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    Ok(messages.lines().filter_map(artifact).collect())
}

/// Reads one of cargo's messages; most of them are not about a program.
fn artifact(message: &str) -> Option<Artifact> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let target = message["target"]["name"].as_str()?.into();
    let file = PathBuf::from(message["executable"].as_str()?);
    let is_test = message["profile"]["test"].as_bool()?;
    Some(Artifact { target, path: file.clone(), file, is_test })
}
