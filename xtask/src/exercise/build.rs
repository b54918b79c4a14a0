//! Compiles what is checked, as the user.

use super::catalogue::{Exercise, Kind, PROGRAM};
use super::workshop::{Workshop, shown};
use crate::cargo::{Profile, binaries, cargo};
use crate::root::{status, succeed};
use crate::stage::packages_up_to;
use anyhow::{Result, bail};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the program of a started exercise, and tells where it is. The check
/// of an explanation runs none; where there is none it runs ours.
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
    ours(exercise.stage())?;
    if !exercise.has_program() {
        return Ok(None);
    }
    refuse_damaged(workshop.root())?;
    // Who has removed a folder by hand has changed the workspace.
    workshop.prepare()?;
    let mut command = in_workshop(workshop.root())?;
    command.args(["--package", &workshop.package(exercise)]);
    if !status(&mut command)?.success() {
        bail!("{}: it does not compile, see above", exercise.id);
    }
    built(workshop, exercise).map(Some)
}

/// Refuses what cargo would refuse in words about manifests: it reads all that
/// are started, whichever of them it has to build. Some have no program.
fn refuse_damaged(workshop: &Path) -> Result<()> {
    for entry in fs::read_dir(workshop)? {
        let folder = entry?.path();
        let id = folder.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let files = ["Cargo.toml", PROGRAM].map(|file| folder.join(file));
        let missing = files.iter().find(|file| !file.is_file());
        let Some(missing) = missing else { continue };
        if id.starts_with(|first: char| first.is_ascii_digit())
            && files.iter().any(|file| file.is_file())
        {
            bail!(
                "{} is missing\nhint: cargo xtask exercise reset {id}, which \
                 keeps what is there in workshop/backup",
                shown(missing)
            );
        }
    }
    Ok(())
}

/// Builds our own programs that the checks of a stage's exercises run.
///
/// # Errors
/// They do not compile: cargo has said why.
pub(crate) fn ours(stage: u8) -> Result<()> {
    // Those of stage 1 run none.
    if stage < 2 {
        return Ok(());
    }
    let mut command = cargo(&["build", "--quiet", "--bins"]);
    for package in packages_up_to(stage) {
        command.args(["--package", package]);
    }
    succeed(&mut command)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by a panic")]
    use super::*;

    #[test]
    fn a_damaged_folder_is_named_with_the_way_out() {
        let name = format!("xtask-damaged-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let exercise = root.join("01.2");
        fs::create_dir_all(exercise.join("src")).unwrap();
        fs::create_dir_all(root.join("backup")).unwrap();
        fs::write(exercise.join("Cargo.toml"), "").unwrap();
        let said = refuse_damaged(&root).unwrap_err().to_string();
        fs::write(exercise.join("src/main.rs"), "").unwrap();
        let whole = refuse_damaged(&root);
        fs::remove_dir_all(&root).unwrap();
        assert!(said.contains("01.2/src/main.rs is missing\nhint: "), "{said}");
        assert!(said.contains("exercise reset 01.2"), "{said}");
        assert!(whole.is_ok(), "{whole:?}");
    }
}
