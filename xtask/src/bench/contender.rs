//! Those that are measured: the runtimes, and as the floor two programs that
//! ask the kernel for nothing but the namespaces.

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
    /// `None`: the floor, which has no verbs.
    runtime: Option<Runtime>,
}

struct Runtime {
    program: PathBuf,
    /// Its `--root`: nobody sees another's containers.
    state: PathBuf,
}

impl Contender {
    /// Finds all of them; the floor is the first.
    ///
    /// # Errors
    /// One is not installed.
    pub(super) fn all(
        imageless: &Path,
        bundles: &Bundles,
    ) -> Result<Vec<Contender>> {
        let floor = Contender { name: "floor".into(), runtime: None };
        let runtime = |name: &str, program: PathBuf| Contender {
            name: version(name, &program),
            runtime: Some(Runtime {
                program,
                state: bundles.state().join(name),
            }),
        };
        Ok(vec![
            floor,
            runtime("imageless", imageless.to_owned()),
            runtime("runc", installed("runc")?),
            runtime("crun", installed("crun")?),
        ])
    }

    /// `PROGRAM --root STATE VERB`; `None`: it is the floor.
    pub(super) fn verb(&self, verb: &str) -> Option<Command> {
        let runtime = self.runtime.as_ref()?;
        let mut command = Command::new(&runtime.program);
        command.arg("--root").arg(&runtime.state).arg(verb);
        Some(quiet(command))
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
