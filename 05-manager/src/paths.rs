//! Where everything lies, in one place. `root` outlives a reboot, `state` does
//! not: what only makes sense while processes live (pids, pinned namespaces,
//! the runtime's own state) lies under `state`.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::{Result, failed};

/// The two directories that conmand owns.
///
/// ```text
/// root/sandboxes/ID/state.json
/// root/containers/ID/state.json
/// root/containers/ID/bundle/config.json
/// root/containers/ID/{log,exit,shim.log}
/// state/sandboxes/ID/ns/{net,ipc,uts}
/// state/sandboxes/ID/shm/
/// state/containers/ID/{pid,shim.pid}
/// state/runtimes/NAME/     the runtime's --root
/// ```
#[derive(Debug, Clone)]
pub struct Paths {
    /// What outlives a reboot, `/var/lib/conman` by default.
    pub root: PathBuf,
    /// What does not, `/run/conman` by default.
    pub state: PathBuf,
}

impl Paths {
    /// Returns the store directory of the sandboxes.
    #[must_use]
    pub fn sandboxes(&self) -> PathBuf {
        self.root.join("sandboxes")
    }

    /// Returns the store directory of the containers.
    #[must_use]
    pub fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    /// Returns the volatile directory of one sandbox: its pinned namespaces and
    /// its /dev/shm.
    #[must_use]
    pub fn sandbox_state(&self, id: &str) -> PathBuf {
        self.state.join("sandboxes").join(id)
    }

    /// Returns the kept directory of one container.
    #[must_use]
    pub fn container(&self, id: &str) -> PathBuf {
        self.containers().join(id)
    }

    /// Returns the volatile directory of one container: its pid files.
    #[must_use]
    pub fn container_state(&self, id: &str) -> PathBuf {
        self.state.join("containers").join(id)
    }

    /// Returns the bundle that the runtime is given.
    #[must_use]
    pub fn bundle(&self, id: &str) -> PathBuf {
        self.container(id).join("bundle")
    }

    /// Returns where the shim leaves the exit code.
    #[must_use]
    pub fn exit_file(&self, id: &str) -> PathBuf {
        self.container(id).join("exit")
    }

    /// Returns where the runtime writes the pid of the container's first
    /// process.
    #[must_use]
    pub fn container_pid(&self, id: &str) -> PathBuf {
        self.container_state(id).join("pid")
    }

    /// Returns the file that the shim keeps locked while it lives.
    #[must_use]
    pub fn shim_pid(&self, id: &str) -> PathBuf {
        self.container_state(id).join("shim.pid")
    }

    /// Returns the runtime's own state directory (`--root`), one for each
    /// handler: two runtimes cannot share one.
    #[must_use]
    pub fn runtime_root(&self, handler: &str) -> PathBuf {
        self.state.join("runtimes").join(handler.replace('/', "-"))
    }
}

/// Makes a directory and its parents, mode 0700: other users have no business
/// in a container's files.
///
/// # Errors
/// EACCES, EROFS, ENOSPC: as mkdir(2).
pub fn make_dir(dir: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(failed(format!("mkdir({dir:?}, 0700)")))
}

/// Removes a tree; one that is gone already is as good.
///
/// # Errors
/// EBUSY: a mount is left inside.
pub fn remove_dir(dir: &Path) -> Result<()> {
    gone(std::fs::remove_dir_all(dir))
        .map_err(failed(format!("rmdir({dir:?})")))
}

/// Removes a file; one that is gone already is as good.
///
/// # Errors
/// EACCES, EROFS: as unlink(2).
pub fn remove_file(file: &Path) -> Result<()> {
    gone(std::fs::remove_file(file))
        .map_err(failed(format!("unlink({file:?})")))
}

fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
