//! Cgroups: how much a group of processes may use, and a name for all of them,
//! however often they fork. Two versions of the interface are in use. What
//! differs is in `v1` and `v2`, most of it as data; callers do not see it.

mod create;
mod devices;
mod entrance;
mod files;
mod freezer;
mod io;
mod kill;
mod layout;
mod limits;
mod list;
mod membership;
mod oom;
mod pressure;
mod set;
mod systemds;
mod usage;
mod v1;
mod v2;
mod weight;

use crate::error::{InCall, Result, SyscallError};
use layout::Layout;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

pub use devices::{DeviceKind, DeviceRule, MKNOD, READ, WRITE};
pub use entrance::Entrance;
pub use io::{Disk, IoLimit, IoUsage, IoWeight};
pub use layout::Version;
pub use limits::{
    CpuQuota, HugetlbLimit, Limit, Limits, NetPriority, RdmaLimit,
};
pub use list::{NotAList, NumberList};
pub use membership::Membership;
pub use oom::OomWatch;
pub use pressure::{Lost, Pressure, PressureWatch, Resource, Stalled, Trigger};
pub use usage::{CpuUsage, HugetlbUsage, MemoryUsage, PidsUsage, Usage};
pub use weight::CpuWeight;

/// Holds a cgroup: one directory on v2; on v1 one for each controller, and
/// perhaps one of [`Cgroup::with_systemds`].
///
/// One that was *created* is killed and removed when it is dropped, until
/// [`Cgroup::keep`] is called; an *opened* one never is.
///
/// Source: cgroups(7)
#[derive(Debug)]
pub struct Cgroup {
    version: Version,
    /// Where the hierarchy is mounted; on v1 the first of them.
    mount: PathBuf,
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
    /// Opens a cgroup that was created before; does not look if it is there,
    /// except in systemd's hierarchy, where not every cgroup is.
    ///
    /// # Errors
    /// ENOENT: no cgroups mounted.
    ///
    /// Source: cgroups(7), proc_pid_mountinfo(5)
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, Path::exists)
    }

    /// Turns a path that counts from the caller's own cgroup, as
    /// [`Cgroup::create`] takes it, into one that counts from the top, which
    /// means the same to every process. `None`: v1, and the caller is in another
    /// cgroup in each tree.
    ///
    /// # Errors
    /// ENOENT: no cgroups mounted.
    ///
    /// Source: cgroups(7), "/proc/pid/cgroup"
    pub fn absolute(path: &Path) -> Result<Option<PathBuf>> {
        Ok(Layout::detect()?.absolute(path))
    }

    /// Opens the cgroup that a process is in; `process` is a pid or `self`. On
    /// v1 it may be another one in each tree.
    ///
    /// # Errors
    /// ENOENT: no such process, no cgroups mounted, or its cgroup is outside of
    /// the part of the tree that we see.
    ///
    /// Source: cgroups(7), "/proc/pid/cgroup"
    pub fn of(process: &str) -> Result<Self> {
        let layout = Layout::detect()?;
        let dirs = membership::dirs(Membership::of(process)?, layout.version);
        if dirs.is_empty() {
            let call = format!("open(the cgroup of {process})");
            return Err(SyscallError::new(call, Errno::ENOENT)
                .hint("it is outside of the cgroup tree that we see"));
        }
        Ok(Self::opened(layout, dirs))
    }

    fn opened(layout: &Layout, dirs: Vec<Dir>) -> Self {
        Self {
            version: layout.version,
            mount: layout.mounts[0].path.clone(),
            dirs,
            made: Vec::new(),
            owned: false,
        }
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
    /// [`crate::process::SpawnOptions`]. `None` on v1, which cannot do that: let
    /// the child wait, [`Cgroup::add`] it, then let it go on.
    ///
    /// # Errors
    /// ENOENT: removed.
    ///
    /// Source: clone(2), `CLONE_INTO_CGROUP`, "Linux 5.7 (2020-05)"
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

    fn path_of(&self, controller: &str) -> Option<&Path> {
        let v2 = self.version == Version::V2;
        let mut dirs = self.dirs.iter();
        let dir = dirs.find(|dir| v2 || dir.controller == controller)?;
        Some(&dir.path)
    }

    fn file(&self, controller: &str, file: &str) -> Result<PathBuf> {
        self.path_of(controller).map(|dir| dir.join(file)).ok_or_else(|| {
            SyscallError::new(format!("open({file:?})"), Errno::ENOENT).hint(
                format!(
                    "the {controller} controller is not mounted: mkdir \
                     /sys/fs/cgroup/{controller} && mount -t cgroup -o \
                     {controller} none /sys/fs/cgroup/{controller}"
                ),
            )
        })
    }
}
