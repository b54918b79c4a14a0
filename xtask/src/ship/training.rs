//! What people ask of a runtime most often, asked while it is watched: on the
//! machine as it is. In a mount namespace of our own, for one, mountinfo would
//! be shorter, and what reads the rest of it would not be called.

use super::watch::Watch;
use crate::bundle::Bundles;
use anyhow::{Context, Result};
use nix::sys::prctl::set_child_subreaper;
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The containers: of one command, of an engine, and one with visitors.
const ALONE: &str = "ship-alone";
const MANAGED: &str = "ship-managed";
const HOST: &str = "ship-host";

/// Calls the program, and tells for each call which functions were called.
///
/// # Errors
/// A call failed.
pub(super) fn train(
    program: &Path,
    bundles: &Bundles,
) -> Result<Vec<BTreeSet<String>>> {
    // Whose parent ends is ours to wait for: every container.
    set_child_subreaper(true).context("prctl(PR_SET_CHILD_SUBREAPER)")?;
    let mut training = Training {
        program,
        bundles,
        watch: Watch::new(program)?,
        calls: vec![],
    };
    // What a run that was interrupted has left.
    training.delete_all();
    training.run_one()?;
    training.manage_one()?;
    training.visit_one()?;
    Ok(std::mem::take(&mut training.calls))
}

/// The program, its containers, and what it has called so far.
struct Training<'a> {
    program: &'a Path,
    bundles: &'a Bundles,
    watch: Watch,
    calls: Vec<BTreeSet<String>>,
}

impl Training<'_> {
    /// As a person does.
    fn run_one(&mut self) -> Result<()> {
        self.call(&["run", "--bundle", &text(self.bundles.default()), ALONE])
    }

    /// As an engine does, with its long configuration.
    fn manage_one(&mut self) -> Result<()> {
        let bundle = self.bundles.podman_waiting();
        let pid_file = bundle.join("pid");
        let bundle = text(bundle);
        let to = ["--bundle", &bundle, "--pid-file", &text(pid_file.clone())];
        self.call(&[&["create"], &to[..], &[MANAGED]].concat())?;
        let pid = fs::read_to_string(pid_file).context("the pid file")?;
        let pid = pid.trim().parse().context("the pid file")?;
        self.call(&["state", MANAGED])?;
        self.call(&["start", MANAGED])?;
        self.call(&["state", MANAGED])?;
        self.call(&["kill", MANAGED, "KILL"])?;
        self.watch.wait_for(Pid::from_raw(pid))?;
        self.call(&["delete", MANAGED])
    }

    /// As health checks do, and whoever looks around.
    fn visit_one(&mut self) -> Result<()> {
        let bundle = text(self.bundles.waiting());
        self.call(&["run", "--detach", "--bundle", &bundle, HOST])?;
        self.call(&["exec", HOST, "/true"])?;
        self.call(&["ps", HOST, "--format", "json"])?;
        self.call(&["list"])?;
        self.call(&["delete", "--force", HOST])
    }

    fn call(&mut self, words: &[&str]) -> Result<()> {
        let mut command = self.command();
        let called = self.watch.run(command.args(words))?;
        self.calls.push(called);
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.arg("--root").arg(self.bundles.state());
        command
    }

    /// Removes what a call that failed has left.
    fn delete_all(&self) {
        for id in [ALONE, MANAGED, HOST] {
            let mut delete = self.command();
            delete.args(["delete", "--force", id]).stdin(Stdio::null());
            // The first error is the one that counts.
            let _ = delete.stdout(Stdio::null()).status();
        }
    }
}

impl Drop for Training<'_> {
    fn drop(&mut self) {
        self.delete_all();
    }
}

fn text(path: PathBuf) -> String {
    path.display().to_string()
}
