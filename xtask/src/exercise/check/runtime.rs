//! An OCI runtime under check, by the command line that all of them have: the
//! learner's own, or ours with what the learner has written.
//!
//! Its container runs `cat -`, which has the pipes of a [`Held`] call.

use super::held::Held;
use super::scratch::Scratch;
use super::{Claim, Subject};
use crate::cargo::{Profile, binaries};
use anyhow::{Context, Result};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

static ACCEPTED: Claim = Claim {
    name: "`create` succeeds",
    likely: "what it complains about is above",
    man: "runtime-spec: runtime.md, \"Create\"",
};

static STARTED: Claim = Claim {
    name: "`start` succeeds",
    likely: "what it complains about is above",
    man: "runtime-spec: runtime.md, \"Start\"",
};

static PID_FILE: Claim = Claim {
    name: "`create` has written the pid file",
    likely: "it names init as the *caller* counts, in decimal digits, before \
             `create` returns",
    man: "runtime-spec does not have it; runc-create(8), --pid-file",
};

/// A runtime, a directory for its state, and one container.
pub(crate) struct Runtime {
    program: PathBuf,
    scratch: PathBuf,
    id: String,
}

impl Runtime {
    /// The program under check; `imageless` if there is none.
    ///
    /// # Errors
    /// /proc is not mounted.
    pub(crate) fn of(subject: &Subject<'_>, scratch: &Scratch) -> Result<Self> {
        let mut runtime = Self::ours(scratch)?;
        if !subject.program.as_os_str().is_empty() {
            runtime.program = subject.program.to_owned();
        }
        Ok(runtime)
    }

    /// `imageless`, for what has another program under check.
    ///
    /// # Errors
    /// /proc is not mounted.
    pub(crate) fn ours(scratch: &Scratch) -> Result<Self> {
        let program = binaries(Profile::Dev)?.join("imageless");
        static CONTAINERS: AtomicU32 = AtomicU32::new(0);
        let number = CONTAINERS.fetch_add(1, Ordering::Relaxed);
        let id = format!("exercise-{}-{number}", std::process::id());
        Ok(Self { program, scratch: scratch.path().to_owned(), id })
    }

    /// Prepares a call of a verb: `args` are its options.
    pub(crate) fn command(&self, verb: &str, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--root").arg(self.scratch.join("state")).arg(verb);
        command.args(args).arg(&self.id);
        command
    }

    /// Calls a verb, without input and output.
    ///
    /// # Errors
    /// The program cannot be executed.
    pub(crate) fn call(&self, verb: &str, args: &[&str]) -> Result<ExitStatus> {
        let mut command = self.command(verb, args);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
            .status()
            .with_context(|| format!("execve({:?}, ..)", self.program))
    }

    /// Sends init a signal by the verb.
    ///
    /// # Errors
    /// The program cannot be executed.
    pub(crate) fn kill(&self, signal: &str) -> Result<ExitStatus> {
        let mut command = self.command("kill", &[]);
        Ok(command.arg(signal).status()?)
    }

    /// Creates the container. What it will run has the pipes that are returned;
    /// the pid is that of init.
    ///
    /// # Errors
    /// A [`super::Failure`]: refused, or no pid file.
    pub(crate) fn create(&self, bundle: &Path) -> Result<(Held, Pid)> {
        let file = self.scratch.join("pid");
        let [bundle, file_name] = [bundle, &file].map(Path::to_str);
        let bundle = bundle.context("a path in UTF-8")?;
        let file_name = file_name.context("a path in UTF-8")?;
        let args = ["--bundle", bundle, "--pid-file", file_name];
        let mut command = self.command("create", &args);
        let mut held = Held::spawn(&mut command)?;
        ACCEPTED
            .same(&"exit status: 0".to_owned(), &held.wait()?.to_string())?;
        let text = fs::read_to_string(&file).unwrap_or_default();
        match text.trim().parse() {
            Ok(pid) => Ok((held, Pid::from_raw(pid))),
            Err(_) => Err(PID_FILE.fails("a number", format!("{text:?}"))),
        }
    }

    /// Starts the program in the container, and waits until it answers.
    ///
    /// # Errors
    /// A [`super::Failure`]: refused, or nobody answers.
    pub(crate) fn start(&self, held: &mut Held) -> Result<()> {
        let status = self.call("start", &[])?;
        STARTED.same(&"exit status: 0".to_owned(), &status.to_string())?;
        held.answers("ready")
    }

    /// Creates and starts.
    ///
    /// # Errors
    /// Those of [`Runtime::create`] and [`Runtime::start`].
    pub(crate) fn run(&self, bundle: &Path) -> Result<(Held, Pid)> {
        let (mut held, pid) = self.create(bundle)?;
        self.start(&mut held)?;
        Ok((held, pid))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // A container that was never made cannot be deleted either.
        let mut command = self.command("delete", &["--force"]);
        let _ = command.stderr(Stdio::null()).status();
        remove_cgroups(&self.id);
    }
}

/// A runtime that fails its check may leave the container's cgroup, which has
/// its id in one spelling or the other.
fn remove_cgroups(id: &str) {
    let top = Path::new("/sys/fs/cgroup");
    let trees = fs::read_dir(top).into_iter().flatten().flatten();
    let trees = trees.map(|tree| tree.path()).chain([top.to_owned()]);
    for tree in trees {
        for name in [id.to_owned(), format!("imageless-{id}")] {
            // ENOENT: nothing was left there. EBUSY: its processes live.
            let _ = fs::remove_dir(tree.join(name));
        }
    }
}
