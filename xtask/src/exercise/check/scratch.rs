//! A directory for one check, which vanishes with it, and a root file system in
//! it: busybox, under the names of what a check executes.

use anyhow::{Context, Result};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Where the distribution puts the static busybox.
const BUSYBOX: &str = "/bin/busybox";

/// A directory of ours, which every user may enter.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes an empty one.
    ///
    /// # Errors
    /// The directory for temporary files is full or read-only.
    pub(crate) fn new() -> Result<Self> {
        let name = format!("exercise-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).with_context(|| format!("mkdir({path:?})"))?;
        let scratch = Self(path);
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o777))?;
        Ok(scratch)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes a root file system in it.
    ///
    /// # Errors
    /// No busybox on this machine.
    pub(crate) fn root(&self) -> Result<PathBuf> {
        let root = self.0.join("root");
        let bin = root.join("bin");
        fs::create_dir_all(&bin)?;
        fs::copy(BUSYBOX, bin.join("busybox")).with_context(|| {
            format!("{BUSYBOX}\nhint: cargo xtask packages installs it")
        })?;
        symlink("busybox", bin.join("cat"))?;
        Ok(root)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed from /tmp is the system's to remove.
        let _ = fs::remove_dir_all(&self.0);
    }
}
