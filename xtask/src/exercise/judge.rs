//! `cargo xtask exercise judge`: one check, run as root in a process of its
//! own, so that whatever the learner's program leaves behind ends with it.
//!
//! It says its verdict in its exit status and in its first words; who has
//! called it, goes on from there.

use super::catalogue::{Exercise, exercises, find};
use super::check::{Failure, Subject, check};
use crate::cargo::{repository, xtask};
use crate::root::as_root;
use anyhow::Result;
use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::wait;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

/// The exit status of a check that is not passed: 1 is a check that broke.
pub(crate) const NOT_YET: i32 = 3;

/// What to check.
#[derive(clap::Args)]
pub(crate) struct Args {
    id: String,
    /// Where the answers are
    folder: PathBuf,
    /// The program to run
    program: Option<PathBuf>,
}

/// The command that checks one exercise as root.
///
/// # Errors
/// /proc is not mounted.
pub(crate) fn command(
    exercise: &Exercise,
    folder: &Path,
    program: Option<&Path>,
) -> Result<Command> {
    let mut command = as_root(xtask()?);
    command.args(["exercise", "judge", &exercise.id]).arg(folder);
    command.args(program);
    Ok(command)
}

/// Runs the check of an exercise, prints its verdict, and exits with it.
///
/// # Errors
/// The check itself could not be made.
pub(crate) fn judge(args: &Args) -> Result<()> {
    let exercise = find(exercises(repository())?, &args.id)?;
    // Orphans of the learner's program become our children, see `sweep`.
    set_child_subreaper(true)?;
    let subject = Subject {
        program: args.program.as_deref().unwrap_or(Path::new("")),
        folder: &args.folder,
        exercise: &exercise,
    };
    let verdict = check(&subject);
    sweep()?;
    let Err(error) = verdict else { return Ok(()) };
    let failure: Failure = error.downcast()?;
    print!("{failure}");
    exit(NOT_YET)
}

/// Ends everything that descends from us.
fn sweep() -> Result<()> {
    loop {
        for child in super::check::proc::children(nix::unistd::Pid::this())? {
            // It may have ended by itself.
            let _ = kill(child, Signal::SIGKILL);
        }
        match wait() {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(Errno::ECHILD) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        }
    }
}
