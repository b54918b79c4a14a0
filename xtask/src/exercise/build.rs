//! Compiles what is checked, as the user.

use super::catalogue::{Exercise, Kind};
use super::workshop::Workshop;
use crate::cargo::{Profile, binaries, cargo};
use crate::root::status;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the program of a started exercise, and tells where it is. The check
/// of an explanation runs none.
///
/// # Errors
/// It does not compile: cargo has said why.
pub(crate) fn build(
    workshop: &Workshop,
    exercise: &Exercise,
) -> Result<Option<PathBuf>> {
    if exercise.kind == Kind::Explain {
        return Ok(None);
    }
    let mut command = in_workshop(workshop.root())?;
    command.args(["--package", &workshop.package(exercise)]);
    if !status(&mut command)?.success() {
        bail!("{}: it does not compile, see above", exercise.id);
    }
    built(workshop, exercise).map(Some)
}

/// Where cargo puts the program of an exercise.
///
/// # Errors
/// /proc is not mounted.
pub(crate) fn built(
    workshop: &Workshop,
    exercise: &Exercise,
) -> Result<PathBuf> {
    Ok(binaries(Profile::Dev)?.join(workshop.package(exercise)))
}

/// A cargo build of a workshop's packages into the repository's target
/// directory, without a look at the network.
///
/// # Errors
/// /proc is not mounted.
pub(crate) fn in_workshop(workshop: &Path) -> Result<Command> {
    let target = binaries(Profile::Dev)?;
    let target = target.parent().expect("debug lies in the target directory");
    let mut command = cargo(&["build", "--quiet", "--offline"]);
    command.arg("--manifest-path").arg(workshop.join("Cargo.toml"));
    command.arg("--target-dir").arg(target);
    Ok(command)
}
