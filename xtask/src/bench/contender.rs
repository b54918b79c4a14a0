//! Those that are measured: the runtimes; as the floor two programs that ask the
//! kernel for nothing but the namespaces; and between them a container by heart.

use super::lane::Lane;
use crate::bundle::Bundles;
use crate::package::on_path;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The namespaces of a container, as unshare(1) and nsenter(1) call them.
const NAMESPACES: [&str; 6] =
    ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"];

/// One of those that are measured.
pub(super) struct Contender {
    pub(super) name: String,
    kind: Kind,
}

enum Kind {
    Floor,
    /// It has no verbs either.
    Bare(PathBuf),
    Runtime {
        program: PathBuf,
        /// Its `--root`: nobody sees another's containers.
        state: PathBuf,
    },
}

/// Those that were built for it.
pub(super) struct Programs<'a> {
    pub(super) imageless: &'a Path,
    pub(super) bare: &'a Path,
}

impl Contender {
    /// Finds those who can take part in a lane; the floor is the first.
    ///
    /// # Errors
    /// One is not installed.
    pub(super) fn of(
        lane: Lane,
        programs: &Programs<'_>,
        bundles: &Bundles,
    ) -> Result<Vec<Contender>> {
        let runtime = |name: &str, program: PathBuf| Contender {
            name: version(name, &program),
            kind: Kind::Runtime { program, state: bundles.state().join(name) },
        };
        let mut all =
            vec![Contender { name: "floor".into(), kind: Kind::Floor }];
        if lane == Lane::Run {
            let kind = Kind::Bare(programs.bare.to_owned());
            all.push(Contender { name: "by heart".into(), kind });
        }
        all.push(runtime("imageless", programs.imageless.to_owned()));
        for name in ["runc", "crun"] {
            all.push(runtime(name, installed(name)?));
        }
        Ok(all)
    }

    /// `PROGRAM --root STATE VERB`; `None`: it has no verbs.
    pub(super) fn verb(&self, verb: &str) -> Option<Command> {
        let Kind::Runtime { program, state } = &self.kind else { return None };
        let mut command = Command::new(program);
        command.arg("--root").arg(state).arg(verb);
        Some(quiet(command))
    }

    /// What one without verbs does: the program `true` of a root file system,
    /// in new namespaces or in a container.
    pub(super) fn run_true(&self, rootfs: &Path) -> Command {
        let Kind::Bare(bare) = &self.kind else {
            return unshared(&rootfs.join("true"));
        };
        let mut command = Command::new(bare);
        command.arg(rootfs).arg("/true");
        quiet(command)
    }
}

/// Runs a program in new namespaces: unshare(1).
pub(super) fn unshared(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(NAMESPACES).args(["--fork", "--"]).arg(program);
    quiet(command)
}

/// Runs a program in the namespaces and the root of a process: nsenter(1).
pub(super) fn entered(pid: i32, program: &Path) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--target={pid}")).args(NAMESPACES);
    command.args(["--root", "--wd=/", "--"]).arg(program);
    quiet(command)
}

/// Not on our standard output, which is the answer; a container that stays
/// would also hold it open.
fn quiet(mut command: Command) -> Command {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn installed(name: &str) -> Result<PathBuf> {
    on_path(name).with_context(|| format!("{name} is not on PATH"))
}

/// `runc 1.1.5`, from the first line of `runc --version`.
fn version(name: &str, program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let number = text.lines().next().and_then(|l| l.split_whitespace().last());
    let number = number.map(|n| n.split(['+', '-']).next().unwrap_or(n));
    number.map_or(name.to_owned(), |number| format!("{name} {number}"))
}
