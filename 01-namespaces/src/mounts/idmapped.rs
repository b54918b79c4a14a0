//! Idmapped mounts: the files of one mount appear as belonging to others. On
//! disk nothing changes, and no file has to be given away by chown(2). What a
//! mount makes of the ids is the id map of a user namespace, which exists for
//! nothing else and needs no process.

use super::attributes::{Attributes, Reach};
use super::detached::DetachedMount;
use crate::error::{InCall, Result, SyscallError};
use crate::idmap::IdMaps;
use crate::kernel_file;
use crate::namespace::Namespace;
use crate::process::{Gate, SpawnOptions, spawn};
use crate::root::path_of;
use nix::errno::Errno;
use nix::sys::stat::{major, minor, stat};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

impl DetachedMount {
    /// Lets the files of the mount, or of the whole tree, appear as the ids of
    /// a user namespace say: `inside` is the id on disk, `outside` the one that
    /// is seen. Whose id is not mapped appears as nobody (65534).
    ///
    /// # Errors
    /// EINVAL: a file system that cannot do it, or mapped already.
    /// EPERM: no CAP_SYS_ADMIN over the file system, so not for the root of a
    /// user namespace; or a map that is not written yet.
    ///
    /// Source: mount_setattr(2), "ID-mapped mounts", "Linux 5.12 (2021-04)"
    pub fn idmap(&self, user: BorrowedFd<'_>, reach: Reach) -> Result<()> {
        self.set(&Attributes::idmap(user), reach)
            .map_err(|error| self.explain(error))
    }

    fn explain(&self, error: SyscallError) -> SyscallError {
        let fstype = fstype(&path_of(self.as_fd()));
        let fstype = fstype.unwrap_or("this type".into());
        match error.errno {
            Errno::EINVAL => error.hint(format!(
                "a file system of {fstype}, or one mounted below, has no \
                 idmapped mounts on this kernel: bind without idmap"
            )),
            Errno::EPERM => error.hint(format!(
                "only root of the machine may map the ids of a file system of \
                 {fstype}"
            )),
            _ => error,
        }
    }
}

/// Makes a user namespace with these maps and without a process. A short-lived
/// child gets it; this function reaps it.
///
/// # Errors
/// As [`spawn`] and [`IdMaps::write`].
///
/// Source: user_namespaces(7)
// ANCHOR: user_namespace
pub fn user_namespace(maps: &IdMaps) -> Result<OwnedFd> {
    let namespaces = [Namespace::User].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let gate = Gate::new()?;
    let child = spawn(&options, || gate.wait().map_or(1, |()| 0))?;
    let file = format!("/proc/{}/ns/user", child.pid());
    let made = maps
        .write(child.pid())
        .and_then(|()| File::open(&file).in_call(|| format!("open({file:?})")));
    // Whether it goes on or sees the gate close for ever: it ends.
    drop(gate);
    child.wait()?;
    Ok(made?.into())
}
// ANCHOR_END: user_namespace

/// Tells the type of the file system that a file is on, by its device among the
/// mounts. For messages: of some (btrfs) the device is not among them.
///
/// # Errors
/// ENOENT: not there.
///
/// Source: proc_pid_mountinfo(5)
pub fn fstype(file: &Path) -> Result<String> {
    const MOUNTS: &str = "/proc/self/mountinfo";
    let device = stat(file).in_call(|| format!("stat({file:?})"))?.st_dev;
    let device = format!("{}:{}", major(device), minor(device));
    let mounts = kernel_file::read(Path::new(MOUNTS))?;
    // A mount point need not be UTF-8; a device and a type are.
    let mounts = String::from_utf8_lossy(&mounts);
    let fstype = |line: &str| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let same = mount.split(' ').nth(2) == Some(device.as_str());
        let fstype = filesystem.split(' ').next()?;
        same.then(|| fstype.to_owned())
    };
    let found = mounts.lines().find_map(fstype);
    Ok(found.unwrap_or_else(|| "this type".to_owned()))
}
