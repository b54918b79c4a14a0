//! A copy of the repository to do harm to: the working tree is never touched.

use super::list::Mutant;
use crate::root::shown;
use anyhow::{Context, Result, anyhow, ensure};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The copy, and what was built in it.
pub(super) struct Tree {
    work: PathBuf,
}

impl Tree {
    /// Copies what git knows or would add, as it stands now. What was built in
    /// an earlier copy stays: times are kept, so that cargo builds only what
    /// has changed.
    pub(super) fn copy(original: &Path, work: &Path) -> Result<Self> {
        let tree = Self { work: work.into() };
        if tree.root().exists() {
            fs::remove_dir_all(tree.root()).context("the last copy")?;
        }
        for name in names(original)? {
            let (from, to) = (original.join(&name), tree.root().join(&name));
            // Deleted, and not committed yet.
            let Ok(metadata) = fs::metadata(&from) else { continue };
            fs::create_dir_all(to.parent().unwrap_or(&to))
                .and_then(|()| fs::copy(&from, &to))
                .and_then(|_| File::options().write(true).open(&to))
                .and_then(|file| file.set_modified(metadata.modified()?))
                .with_context(|| format!("copy {from:?} to {to:?}"))?;
        }
        Ok(tree)
    }

    pub(super) fn root(&self) -> PathBuf {
        self.work.join("tree")
    }

    pub(super) fn target(&self) -> PathBuf {
        self.work.join("target")
    }

    /// Does `work` while the mutant's text is missing.
    ///
    /// The file is then written anew, not with its old time: what cargo has
    /// built of the mutant is newer than that.
    pub(super) fn with<T>(
        &self,
        mutant: &Mutant,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let file = self.root().join(&mutant.file);
        let failed = || format!("{file:?}");
        let source = fs::read_to_string(&file).with_context(failed)?;
        let mutated = mutant.apply(&source).map_err(|error| anyhow!(error))?;
        fs::write(&file, mutated).with_context(failed)?;
        let done = work();
        fs::write(&file, source).with_context(failed)?;
        done
    }
}

/// Asks git for the files that make up the repository.
fn names(repository: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    git.current_dir(repository);
    let output = git.output().with_context(|| shown(&git))?;
    ensure!(output.status.success(), "{}: {}", shown(&git), output.status);
    let names = String::from_utf8(output.stdout).context("names of files")?;
    Ok(names.split_terminator('\0').map(str::to_owned).collect())
}
