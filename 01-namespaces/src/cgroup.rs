//! Cgroups: how much a group of processes may use, and a name for all of them,
//! however often they fork. Two versions of the interface are in use. What
//! differs is in `v1` and `v2`, most of it as data; callers do not see it.

mod devices;
mod files;
mod layout;
mod limits;
mod plan;
mod usage;
mod v1;
mod v2;

use crate::error::{InCall, Result, SyscallError};
use crate::process;
use layout::Layout;
use limits::Setting;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use devices::{DeviceKind, DeviceRule, MKNOD, READ, WRITE};
pub use layout::Version;
pub use limits::{CpuQuota, Limit, Limits};

/// How long the processes of a killed cgroup may take to be gone: long for a
/// process, short for a person who waits.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Holds a cgroup: one directory on v2, one for each controller on v1.
///
/// One that was *created* is killed and removed when it is dropped, until
/// [`Cgroup::keep`] is called; an *opened* one never is.
///
/// Source: cgroups(7)
#[derive(Debug)]
pub struct Cgroup {
    version: Version,
    dirs: Vec<Dir>,
    /// The directories that `create` made, those above the cgroup too.
    made: Vec<PathBuf>,
    owned: bool,
}

/// A directory of the cgroup file system, and the controller it is there for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Dir {
    controller: String,
    path: PathBuf,
}

impl Cgroup {
    /// Makes a cgroup, with those above it, in every hierarchy that we use. If
    /// one of them fails, the others are undone.
    ///
    /// An absolute path counts from where the hierarchy is mounted. A relative
    /// one counts from the caller's own cgroup on v1, so that its limits hold
    /// too; on v2 from the one above it: only leaves may have processes there.
    ///
    /// # Errors
    /// EACCES, EROFS: no right to make cgroups there. EBUSY: it exists, with
    /// processes in it. ENOENT: no cgroups mounted.
    ///
    /// Source: cgroups(7), "Creating cgroups and moving processes"
    pub fn create(path: &Path) -> Result<Self> {
        let layout = Layout::detect()?;
        let (version, dirs) = (layout.version, layout.dirs(path));
        let mut cgroup = Self { version, dirs, made: Vec::new(), owned: false };
        cgroup.refuse_if_in_use()?;
        cgroup.owned = true;
        // What has been made when one fails is undone by Drop.
        for dir in &cgroup.dirs {
            files::make_dirs(&dir.path, &mut cgroup.made)
                .map_err(files::explain)?;
        }
        if version == Version::V2 {
            let mount = &layout.mounts[0].path;
            v2::enable_controllers(mount, &cgroup.dirs[0].path);
        }
        Ok(cgroup)
    }

    /// Opens a cgroup that was created before; does not look if it is there.
    ///
    /// # Errors
    /// ENOENT: no cgroups mounted.
    pub fn open(path: &Path) -> Result<Self> {
        let layout = Layout::detect()?;
        let (version, dirs) = (layout.version, layout.dirs(path));
        Ok(Self { version, dirs, made: Vec::new(), owned: false })
    }

    /// Refuses one that has processes: they are somebody else's. An empty one
    /// may be left from before.
    ///
    /// # Errors
    /// EBUSY: it has processes.
    pub fn refuse_if_in_use(&self) -> Result<()> {
        for dir in self.dirs.iter().filter(|dir| dir.path.exists()) {
            if !files::pids_below(&dir.path)?.is_empty() {
                let call = format!("mkdir({:?})", dir.path);
                return Err(SyscallError::new(call, Errno::EBUSY)
                    .hint("that cgroup exists and has processes in it"));
            }
        }
        Ok(())
    }

    /// Lets the cgroup live on when this value is dropped.
    pub fn keep(&mut self) {
        self.owned = false;
    }

    /// Tells which interface is in use.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Lists the directories.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<_> = self.dirs.iter().map(|d| &*d.path).collect();
        // Controllers that are mounted together share theirs.
        paths.dedup();
        paths
    }

    /// Opens the directory for `CLONE_INTO_CGROUP`, see
    /// [`process::SpawnOptions`]. `None` on v1, which cannot do that: let the
    /// child wait, [`Cgroup::add`] it, then let it go on.
    ///
    /// # Errors
    /// ENOENT: removed.
    pub fn dir_fd(&self) -> Result<Option<OwnedFd>> {
        match self.version {
            Version::V1 => Ok(None),
            Version::V2 => {
                let path = &self.dirs[0].path;
                let dir = fs::File::open(path)
                    .in_call(|| format!("open({path:?}, O_DIRECTORY)"))?;
                Ok(Some(OwnedFd::from(dir)))
            }
        }
    }

    /// Moves a process, with all of its threads, into the cgroup. Children that
    /// it has already stay where they are.
    ///
    /// # Errors
    /// ESRCH: no such process. EBUSY: v2, and the cgroup has controllers
    /// enabled for its children. ENOENT: removed.
    ///
    /// Source: cgroups(7), "cgroup.procs"
    pub fn add(&self, pid: Pid) -> Result<()> {
        self.paths().into_iter().try_for_each(|path| {
            files::write(&path.join("cgroup.procs"), &pid.to_string())
        })
    }

    /// Sets limits. What is `None` stays as it is.
    ///
    /// # Errors
    /// ENOENT: the machine or a cgroup above has not that controller (the hint
    /// names it). EINVAL: out of range.
    /// EBUSY: v1, and more memory is in use already.
    pub fn set(&self, limits: &Limits) -> Result<()> {
        self.settings(limits).into_iter().try_for_each(|setting| {
            let path = self.file(setting.controller, setting.file)?;
            files::write(&path, &setting.value)
                .map_err(|error| self.explain(error, setting.controller))
        })
    }

    /// Lists the files and values that [`Cgroup::set`] would write.
    fn settings(&self, limits: &Limits) -> Vec<Setting> {
        match self.version {
            Version::V1 => v1::settings(limits),
            Version::V2 => v2::settings(limits),
        }
    }

    /// Lists the processes in it and in the cgroups below it, zombies left out.
    ///
    /// # Errors
    /// ENOENT: removed.
    ///
    /// Source: cgroups(7), "cgroup.procs"
    pub fn pids(&self) -> Result<Vec<Pid>> {
        let mut pids = Vec::new();
        for path in self.paths() {
            pids.extend(files::pids_below(path)?);
        }
        pids.sort();
        pids.dedup();
        Ok(pids)
    }

    /// Kills every process in it, and in the cgroups below it, also those that
    /// fork meanwhile; waits until they have ended.
    ///
    /// # Errors
    /// ETIMEDOUT: one of them is stuck in the kernel.
    ///
    /// Source: cgroup-v2.rst, "cgroup.kill", "Linux 5.14 (2021-08)"; v1:
    /// freezer-subsystem.rst
    pub fn kill(&self) -> Result<()> {
        let deadline = Instant::now() + END_LIMIT;
        loop {
            let pids = self.pids()?;
            if pids.is_empty() {
                return Ok(());
            }
            match self.version {
                Version::V1 => v1::kill(self.path_of("freezer"), &pids),
                Version::V2 => v2::kill(&self.dirs[0].path, &pids),
            }?;
            wait_for(&pids, deadline)?;
        }
    }

    /// Waits until the processes in it have ended, then removes it and the
    /// cgroups below it. Does not kill. One that is gone already is no error.
    ///
    /// # Errors
    /// ETIMEDOUT: after 10 s there is still a process in it.
    ///
    /// Source: cgroups(7), "Removing cgroups"
    pub fn remove(&mut self) -> Result<()> {
        let deadline = Instant::now() + END_LIMIT;
        for dir in self.dirs.iter().rev().filter(|dir| dir.path.exists()) {
            wait_for(&files::pids_below(&dir.path)?, deadline)?;
            files::remove_tree(&dir.path, deadline)?;
        }
        self.owned = false;
        Ok(())
    }

    fn path_of(&self, controller: &str) -> Option<&Path> {
        let v2 = self.version == Version::V2;
        let mut dirs = self.dirs.iter();
        let dir = dirs.find(|dir| v2 || dir.controller == controller)?;
        Some(&dir.path)
    }

    fn file(&self, controller: &str, file: &str) -> Result<PathBuf> {
        self.path_of(controller).map(|dir| dir.join(file)).ok_or_else(|| {
            SyscallError::new(format!("open({file:?})"), Errno::ENOENT)
                .hint(format!("the {controller} controller is not mounted"))
        })
    }

    fn explain(&self, error: SyscallError, controller: &str) -> SyscallError {
        match (error.errno, self.version) {
            (Errno::ENOENT, Version::V2) => error.hint(format!(
                "each cgroup above needs +{controller} in its \
                 cgroup.subtree_control, and no process of its own"
            )),
            _ => error,
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if self.owned {
            // Nobody to tell. Who wants to know calls kill() and remove().
            let _ = self.kill();
            let _ = self.remove();
            for dir in self.made.iter().rev() {
                // EBUSY: in use by somebody else. ENOENT: removed above.
                let _ = std::fs::remove_dir(dir);
            }
        }
    }
}

/// Waits until each of these processes has ended; a handle tells, so
/// nothing is missed and nobody sleeps.
fn wait_for(pids: &[Pid], deadline: Instant) -> Result<()> {
    for pid in pids {
        // ESRCH: it has ended already.
        let Ok(pidfd) = process::pidfd_open(*pid) else { continue };
        let left = deadline.saturating_duration_since(Instant::now());
        if !process::wait_for_end(pidfd.as_fd(), left)? {
            let call = format!("poll([pidfd of {pid}])");
            return Err(SyscallError::new(call, Errno::ETIMEDOUT)
                .hint("a process does not end: see /proc/PID/stack"));
        }
    }
    Ok(())
}
