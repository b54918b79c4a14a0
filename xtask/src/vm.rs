//! A virtual machine with pure cgroup v2, for the tests that need one: many machines still have v1 or the hybrid layout.
//! qemu boots Debian's own kernel with an initramfs that holds nothing but busybox, runc, and our programs and tests.

mod initramfs;
mod kernel;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::cargo::{Profile, binaries, cargo};
use crate::package::{self, Missing, Need};
use crate::root::shown;
use initramfs::Initramfs;

/// What to do with the machine.
#[derive(Subcommand)]
pub(crate) enum Vm {
    /// Run the tests of the stages that touch cgroups in a machine with pure cgroup v2
    Test,
    /// Open a shell in that machine; `exit` turns it off
    Shell,
}

/// The packages whose tests make sense in the machine: those that create cgroups.
const PACKAGES: [&str; 2] = ["namespaces", "imageless"];

/// Test programs that are about a whole Debian, not about the kernel, and why:
/// the guest has none.
const LEFT_OUT: [(&str, &str); 2] = [
    ("bundling", "needs ldd, a compiler and the source tree"),
    ("podman", "needs podman and conmon"),
];

/// Programs of this machine that the tests compare ours with or work by. Those
/// of busybox that have the same names know fewer options; a test whose program
/// is not there skips itself.
const PEERS: [&str; 14] = [
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
    "newuidmap",
    "newgidmap",
];

/// The line by which the guest tells its exit status: see `vm/machine.sh`.
const STATUS: &str = "vm: exit status ";

/// Runs `cargo xtask vm ..`.
pub(crate) fn vm(vm: &Vm) -> Result<()> {
    package::ensure(&[Need::Vm], Missing::Install)?;
    let mut built = build(&["build", "--quiet", "--bins"])?;
    built.extend(build(&["test", "--quiet", "--no-run"])?);
    let work = binaries(Profile::Dev)?.with_file_name("vm");
    let kernel = kernel::unpacked(&work)?;
    let lane = match vm {
        Vm::Test => tests_as_script(&built),
        Vm::Shell => shell_as_script(&built),
    };
    let initrd = Initramfs::new(&work.join("root"))?
        .with_modules(&kernel::modules(&work)?)?
        .with_programs(built.iter().map(|artifact| artifact.path.as_path()))?
        .with_programs(PEERS.iter().filter_map(|name| package::on_path(name)))?
        .with_lane(&lane)?
        .pack(&work.join("initrd.cpio"))?;
    match vm {
        Vm::Test => boot_and_report(&kernel, &initrd),
        Vm::Shell => boot_with_terminal(&kernel, &initrd),
    }
}

/// A program that cargo built for us.
struct Artifact {
    /// Its name in Cargo.toml.
    target: String,
    path: PathBuf,
    is_test: bool,
}

/// Lets cargo build, and asks it where the programs are.
fn build(verb: &[&str]) -> Result<Vec<Artifact>> {
    let mut cargo = cargo(verb);
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
    let path = message["executable"].as_str()?.into();
    let is_test = message["profile"]["test"].as_bool()?;
    Some(Artifact { target, path, is_test })
}

/// What the guest runs: every test program, one after another. The status is the number of those that failed.
///
/// Of the runtimes only ours: under emulation runc takes seconds to start, and
/// that the suite is right about it is shown outside of the guest.
fn tests_as_script(built: &[Artifact]) -> String {
    let dir = program_dir(built).display();
    let mut script =
        format!("export PATH=$PATH:{dir} CONMAN_RUNTIME=imageless\nfailed=0\n");
    for test in built.iter().filter(|artifact| artifact.is_test) {
        let Artifact { target, path, .. } = test;
        let path = path.display();
        let reason = LEFT_OUT.iter().find(|(name, _)| name == target);
        script.push_str(&match reason {
            Some((_, why)) => format!("echo 'SKIP all of {target}: {why}'\n"),
            None => {
                format!("echo '== {path}'; {path} || failed=$((failed + 1))\n")
            }
        });
    }
    script + "exit $failed\n"
}

/// What the guest runs for a learner: a shell that finds our programs.
fn shell_as_script(built: &[Artifact]) -> String {
    let dir = program_dir(built).display();
    format!("PATH=$PATH:{dir}; cd /root; setsid cttyhack sh; exit 0\n")
}

fn program_dir(built: &[Artifact]) -> &Path {
    let program = built.iter().find(|artifact| !artifact.is_test);
    program
        .and_then(|artifact| artifact.path.parent())
        .unwrap_or(Path::new("/bin"))
}

/// The command that boots. No KVM: it is not there in most virtual machines, and the tests are short.
fn qemu(kernel: &Path, initrd: &Path) -> Command {
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args([
        "-accel",
        "tcg",
        "-cpu",
        "max",
        "-smp",
        "2",
        "-m",
        "3072",
        "-no-reboot",
    ]);
    qemu.args([
        "-display", "none", "-monitor", "none", "-serial", "stdio", "-net",
        "none",
    ]);
    qemu.args(["-append", "console=ttyS0 quiet panic=-1 mitigations=off"]);
    qemu.arg("-kernel").arg(kernel).arg("-initrd").arg(initrd);
    qemu
}

/// Shows what the guest prints, and fails as it failed.
fn boot_and_report(kernel: &Path, initrd: &Path) -> Result<()> {
    let mut guest = qemu(kernel, initrd)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("qemu-system-x86_64: cannot start it (Debian package qemu-system-x86)")?;
    let mut status = None;
    let console = guest.stdout.take().context("qemu's standard output")?;
    for line in BufReader::new(console).split(b'\n') {
        let line = line.context("reading the guest's console")?;
        let line = String::from_utf8_lossy(&line);
        println!("{}", line.trim_end());
        if let Some((_, number)) = line.split_once(STATUS) {
            status = Some(number.trim().to_owned());
        }
    }
    guest.wait().context("qemu")?;
    match status.as_deref() {
        Some("0") => Ok(()),
        Some(number) => {
            bail!("vm test: {number} test programs failed in the guest")
        }
        None => bail!("vm test: the guest ended before it told its status"),
    }
}

/// Lends our terminal to the guest.
fn boot_with_terminal(kernel: &Path, initrd: &Path) -> Result<()> {
    let status = qemu(kernel, initrd).status().context("qemu-system-x86_64")?;
    if status.success() {
        Ok(())
    } else {
        bail!("qemu-system-x86_64: {status}")
    }
}
