//! A directory for one check, which vanishes with it, and a root file system in
//! it: busybox, under the names of what a check executes.

use super::Subject;
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

    /// Makes a bundle in it: such a root, and the learner's `config.json`.
    ///
    /// # Errors
    /// No busybox on this machine, or no config.json in the learner's folder.
    pub(crate) fn bundle(&self, subject: &Subject<'_>) -> Result<PathBuf> {
        self.root()?;
        let config = subject.folder.join("config.json");
        fs::copy(&config, self.0.join("config.json"))
            .with_context(|| format!("open({config:?})"))?;
        Ok(self.0.clone())
    }

    /// Makes a bundle in it whose container runs `cat -`, as root.
    ///
    /// # Errors
    /// No busybox on this machine.
    pub(crate) fn cat_bundle(&self) -> Result<PathBuf> {
        self.root()?;
        fs::write(self.0.join("config.json"), CAT_BUNDLE)?;
        Ok(self.0.clone())
    }
}

/// As little as every runtime accepts.
const CAT_BUNDLE: &str = r#"{
  "ociVersion": "1.0.2",
  "root": { "path": "root" },
  "process": {
    "args": ["cat", "-"], "cwd": "/", "env": ["PATH=/bin"],
    "user": { "uid": 0, "gid": 0 }
  },
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "linux": {
    "namespaces": [{ "type": "pid" }, { "type": "mount" }]
  }
}
"#;

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed from /tmp is the system's to remove.
        let _ = fs::remove_dir_all(&self.0);
    }
}
