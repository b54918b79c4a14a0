//! The folder in which a learner works: `workshop`, which git ignores.
//!
//! Each exercise in it is a cargo package that uses the stage's library by
//! path. All share the repository's lock file and target directory, so nothing
//! is downloaded and little is compiled. `prove` makes such folders, too.

use super::catalogue::Exercise;
use super::files::{files, manifest};
use super::region::Cut;
use crate::cargo::repository;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// A folder of started exercises.
pub(crate) struct Workshop {
    root: PathBuf,
    /// How the names of its packages begin. All share one target directory, in
    /// which cargo knows a package by its name.
    prefix: &'static str,
}

/// How far the learner is with one exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    NotStarted,
    Started,
    Done,
}

/// All packages of a folder are one workspace, so that one Cargo.lock is
/// enough; the profile is the repository's, so that what it has built fits.
const WORKSPACE: &str = "\
[workspace]
resolver = \"3\"
members = MEMBERS

[profile.dev]
panic = \"abort\"
debug = \"line-tables-only\"
";

impl Workshop {
    /// The learner's own.
    pub(crate) fn of_learner() -> Self {
        Self::at(repository().join("workshop"), "exercise")
    }

    /// Another folder.
    pub(crate) fn at(root: PathBuf, prefix: &'static str) -> Self {
        Self { root, prefix }
    }

    /// Where an exercise is, or would be.
    pub(crate) fn folder(&self, exercise: &Exercise) -> PathBuf {
        self.root.join(&exercise.id)
    }

    /// The name of an exercise's package and program.
    pub(crate) fn package(&self, exercise: &Exercise) -> String {
        format!("{}-{}", self.prefix, exercise.id.replace('.', "-"))
    }

    /// Where all of them are: the workspace for cargo.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Writes an exercise. If it fails nothing half-made stays.
    ///
    /// # Errors
    /// It was started before, or a file cannot be written.
    pub(crate) fn start(&self, exercise: &Exercise, which: Cut) -> Result<()> {
        let folder = self.folder(exercise);
        if folder.exists() {
            bail!(
                "{} is there already\nhint: go on in it, or `cargo xtask \
                 exercise reset {}` to start again",
                shown(&folder),
                exercise.id
            );
        }
        let package = self.package(exercise);
        let mut files = files(exercise, which, &package)?;
        if exercise.has_program() {
            files.push(("Cargo.toml", manifest(&package)));
        }
        // Renamed when it is whole: a folder that is there is complete.
        let draft = self.root.join(format!(".{}.new", exercise.id));
        if draft.exists() {
            fs::remove_dir_all(&draft)?;
        }
        for (name, text) in files {
            write(&draft.join(name), &text)?;
        }
        fs::rename(&draft, &folder).with_context(|| shown(&folder))?;
        self.prepare()
    }

    /// Moves what the learner has out of the way, and tells where to.
    ///
    /// # Errors
    /// It was not started, or cannot be moved.
    pub(crate) fn set_aside(&self, exercise: &Exercise) -> Result<PathBuf> {
        self.require(exercise)?;
        let backup = self.root.join("backup");
        fs::create_dir_all(&backup)?;
        let free = (1..)
            .map(|number| backup.join(format!("{}.{number}", exercise.id)))
            .find(|folder| !folder.exists())
            .expect("there are more numbers than folders");
        fs::rename(self.folder(exercise), &free)?;
        Ok(free)
    }

    /// # Errors
    /// The exercise was not started.
    pub(crate) fn require(&self, exercise: &Exercise) -> Result<()> {
        // Or what has come in its place: `reset` moves that away, too.
        if self.folder(exercise).exists() {
            return Ok(());
        }
        let id = &exercise.id;
        bail!("{id} is not started\nhint: cargo xtask exercise start {id}")
    }

    /// Tells how far the learner is.
    pub(crate) fn progress(&self, exercise: &Exercise) -> Progress {
        let folder = self.folder(exercise);
        match (folder.is_dir(), folder.join(PASSED).exists()) {
            (false, _) => Progress::NotStarted,
            (true, false) => Progress::Started,
            (true, true) => Progress::Done,
        }
    }

    /// Notes that the check was passed, or is not any more.
    ///
    /// # Errors
    /// The folder is not writable.
    pub(crate) fn note(&self, exercise: &Exercise, passed: bool) -> Result<()> {
        let file = self.folder(exercise).join(PASSED);
        match passed {
            true => fs::write(file, "")?,
            false if file.exists() => fs::remove_file(file)?,
            false => {}
        }
        Ok(())
    }

    /// Gives the next hint and how many there are, counting up to the last.
    ///
    /// # Errors
    /// It was not started: a hint would spoil it.
    pub(crate) fn next_hint(&self, exercise: &Exercise) -> Result<usize> {
        self.require(exercise)?;
        let file = self.folder(exercise).join(".hints");
        let seen = fs::read_to_string(&file).unwrap_or_default();
        let seen: usize = seen.trim().parse().unwrap_or(0);
        let next = (seen + 1).min(exercise.hints.len());
        fs::write(file, next.to_string())?;
        Ok(next)
    }

    /// Writes what makes the folder a workspace of the repository's own
    /// versions, and `cargo xtask` work in it too.
    ///
    /// # Errors
    /// The folder is not writable.
    pub(crate) fn prepare(&self) -> Result<()> {
        let here = repository().display();
        let config = format!(
            "[build]\ntarget-dir = \"{here}/target\"\n\n[net]\n\
             offline = true\n\n[alias]\nxtask = \"run --quiet \
             --manifest-path {here}/Cargo.toml --package xtask --\"\n"
        );
        write(&self.root.join(".cargo/config.toml"), &config)?;
        let members = format!("{:?}", self.members()?);
        let workspace = WORKSPACE.replace("MEMBERS", &members);
        write(&self.root.join("Cargo.toml"), &workspace)?;
        let lock = fs::read_to_string(repository().join("Cargo.lock"))?;
        write(&self.root.join("Cargo.lock"), &lock)
    }

    /// The folders with a package: not every exercise has one.
    fn members(&self) -> Result<Vec<String>> {
        let mut members = vec![];
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_draft = name.starts_with('.');
            if !is_draft && entry.path().join("Cargo.toml").is_file() {
                members.push(name);
            }
        }
        members.sort();
        Ok(members)
    }
}

/// There when the last check was passed.
const PASSED: &str = ".passed";

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().expect("a file of ours lies in a folder");
    fs::create_dir_all(folder).with_context(|| shown(folder))?;
    fs::write(path, text).with_context(|| shown(path))
}

/// A path as one types it in the repository.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(repository()).unwrap_or(path).display().to_string()
}
