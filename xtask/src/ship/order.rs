//! The order in which functions are linked, as a file for the linker: one name
//! a line.
//!
//! Its own name tells its content, because cargo looks at the linker's
//! arguments and not into the files that they name.

use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const EXTENSION: &str = "order";

/// Puts first what most commands have called, so that the short ones touch
/// little; side by side what the same commands have called; and that by name,
/// so that the same calls always give the same order.
pub(super) fn by_use(calls: &[BTreeSet<String>]) -> Vec<&str> {
    let mut callers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (command, names) in calls.iter().enumerate() {
        for name in names {
            callers.entry(name).or_default().push(command);
        }
    }
    let mut names: Vec<_> = callers.into_iter().collect();
    names.sort_by(|(a, by_a), (b, by_b)| {
        let most_first = by_b.len().cmp(&by_a.len());
        most_first.then_with(|| (by_a, a).cmp(&(by_b, b)))
    });
    names.into_iter().map(|(name, _)| name).collect()
}

/// A written order.
#[derive(Debug)]
pub(super) struct Order(PathBuf);

impl Order {
    /// Finds the folder's order if it is newer than all that it depends on.
    ///
    /// # Errors
    /// One of these files is missing.
    pub(super) fn kept(
        folder: &Path,
        depends_on: &[&Path],
    ) -> Result<Option<Order>> {
        let Some(order) = orders(folder).pop() else { return Ok(None) };
        let written = modified(&order)?;
        for file in depends_on {
            if written <= modified(file)? {
                return Ok(None);
            }
        }
        Ok(Some(Order(order)))
    }

    /// Writes the only order of the folder.
    ///
    /// # Errors
    /// Those of open(2), write(2), rename(2), unlink(2).
    pub(super) fn write(folder: &Path, names: &str) -> Result<Order> {
        let mut hasher = DefaultHasher::new();
        hasher.write(names.as_bytes());
        let name = format!("{:016x}.{EXTENSION}", hasher.finish());
        let (file, new) = (folder.join(name), folder.join("order.new"));
        let tried = || file.display().to_string();
        for old in orders(folder) {
            fs::remove_file(&old).with_context(tried)?;
        }
        fs::write(&new, names).with_context(tried)?;
        fs::rename(&new, &file).with_context(tried)?;
        Ok(Order(file))
    }

    pub(super) fn file(&self) -> &Path {
        &self.0
    }

    /// The names in it.
    ///
    /// # Errors
    /// Those of read(2).
    pub(super) fn names(&self) -> Result<BTreeSet<String>> {
        let text = fs::read_to_string(&self.0)
            .with_context(|| self.0.display().to_string())?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

/// All orders in a folder, made or not.
fn orders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path());
    files
        .filter(|file| file.extension().is_some_and(|e| e == EXTENSION))
        .collect()
}

fn modified(file: &Path) -> Result<SystemTime> {
    let metadata = fs::metadata(file).and_then(|m| m.modified());
    metadata.with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn calls(of: &[&[&str]]) -> Vec<BTreeSet<String>> {
        let set = |names: &&[&str]| {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        of.iter().map(set).collect()
    }

    #[test]
    fn what_most_commands_call_is_first() {
        let calls = calls(&[&["a", "z"], &["b", "z"]]);
        assert_eq!(by_use(&calls), ["z", "a", "b"]);
    }

    #[test]
    fn what_one_command_calls_is_side_by_side_and_by_name() {
        let calls = calls(&[&["d", "b"], &["c", "a"]]);
        assert_eq!(by_use(&calls), ["b", "d", "a", "c"]);
    }

    #[test]
    fn another_content_is_another_file_and_the_old_one_goes() {
        let scratch = testkit::Scratch::new();
        let write = |names| Order::write(scratch.path(), names).unwrap();
        let (first, again) = (write("a\nb\n"), write("a\nb\n"));
        assert_eq!(first.file(), again.file());
        let second = write("b\na\n");
        assert_ne!(first.file(), second.file());
        assert!(!first.file().exists() && second.file().exists());
        assert_eq!(second.names().unwrap().len(), 2);
    }

    #[test]
    fn an_order_is_kept_until_what_it_depends_on_is_newer() {
        let scratch = testkit::Scratch::new();
        let program = scratch.path().join("program");
        let folder = scratch.path();
        fs::write(&program, "").unwrap();
        let set = |time| {
            let file = fs::File::options().write(true).open(&program).unwrap();
            file.set_modified(time).unwrap();
        };
        let kept = || Order::kept(folder, &[&program]).unwrap().is_some();
        assert!(!kept(), "there is none");
        Order::write(folder, "a\n").unwrap();
        set(SystemTime::now() - Duration::from_secs(9));
        assert!(kept());
        set(SystemTime::now() + Duration::from_secs(9));
        assert!(!kept());
    }
}
