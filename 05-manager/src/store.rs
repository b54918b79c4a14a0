//! One directory for each object, with its `state.json`. A reader never sees
//! half a file, neither after a crash of conmand nor after one of the machine:
//! written under another name, synced, renamed, and the directory synced.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::marker::PhantomData;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result, failed};
use crate::paths::{make_dir, remove_dir};

/// The records of one kind (sandboxes or containers), by id.
#[derive(Debug)]
pub struct Store<T> {
    dir: PathBuf,
    kind: PhantomData<fn(T) -> T>,
}

impl<T: Serialize + DeserializeOwned> Store<T> {
    /// Opens a store, and makes its directory where it is missing.
    ///
    /// # Errors
    /// As mkdir(2).
    pub fn open(dir: PathBuf) -> Result<Self> {
        make_dir(&dir)?;
        Ok(Self { dir, kind: PhantomData })
    }

    /// Writes the record of `id`; after it returns, a power cut does not undo
    /// it.
    ///
    /// # Errors
    /// ENOSPC, EIO: as open(2), write(2), fsync(2), rename(2).
    pub fn save(&self, id: &str, record: &T) -> Result<()> {
        let dir = self.dir.join(id);
        make_dir(&dir)?;
        let text = serde_json::to_vec_pretty(record).map_err(|error| {
            Error::Failed(format!("state.json of {id}: {error}"))
        })?;
        write_atomically(&dir.join("state.json"), &text)
    }

    /// Reads the record of `id`; `None` if there is none, because conmand died
    /// before it wrote one.
    ///
    /// # Errors
    /// A record that does not parse: the message names the file and the place.
    pub fn load(&self, id: &str) -> Result<Option<T>> {
        let file = self.dir.join(id).join("state.json");
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(failed(format!("open({file:?})"))(error)),
        };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            Error::Failed(format!("{}: {error}", file.display()))
        })
    }

    /// Removes the whole directory of `id`.
    ///
    /// # Errors
    /// As unlink(2).
    pub fn remove(&self, id: &str) -> Result<()> {
        remove_dir(&self.dir.join(id))
    }

    /// Lists the ids that have a directory, with or without a record.
    ///
    /// # Errors
    /// As readdir(3).
    pub fn ids(&self) -> Result<Vec<String>> {
        let call = || format!("readdir({:?})", self.dir);
        let mut ids = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(failed(call()))? {
            ids.push(
                entry
                    .map_err(failed(call()))?
                    .file_name()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
        Ok(ids)
    }
}

/// Replaces `file` by one with this content, mode 0600: never half, never old
/// and new mixed.
///
/// # Errors
/// As open(2), write(2), fsync(2), rename(2).
// ANCHOR: write_atomically
pub fn write_atomically(file: &Path, content: &[u8]) -> Result<()> {
    let new = file.with_extension("new");
    let write = || {
        let mut out = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        out.write_all(content)?;
        out.sync_all()?;
        std::fs::rename(&new, file)?;
        // The rename is an entry of the directory: unsynced, a power cut may
        // bring the old file back.
        File::open(file.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(failed(format!("write({file:?})")))
}
// ANCHOR_END: write_atomically

#[cfg(test)]
mod tests {
    use super::*;

    fn store(dir: &tempfile::TempDir) -> Store<Vec<u32>> {
        Store::open(dir.path().join("store")).expect("a new directory")
    }

    #[test]
    fn a_record_is_read_back_as_it_was_saved() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        store.save("a", &vec![1, 2]).unwrap();
        store.save("a", &vec![3]).unwrap();
        assert_eq!(store.load("a").unwrap(), Some(vec![3]));
        assert_eq!(store.ids().unwrap(), ["a"]);
    }

    #[test]
    fn a_directory_without_a_record_is_listed_but_loads_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        make_dir(&dir.path().join("store/half")).unwrap();
        assert_eq!(store.ids().unwrap(), ["half"]);
        assert_eq!(store.load("half").unwrap(), None);
    }

    #[test]
    fn a_broken_record_names_its_file_and_the_place() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(&dir);
        store.save("a", &vec![1]).unwrap();
        std::fs::write(dir.path().join("store/a/state.json"), "[1,").unwrap();
        let error = store.load("a").unwrap_err().to_string();
        assert!(
            error.contains("store/a/state.json: EOF")
                && error.contains("line 1"),
            "{error}"
        );
    }
}
