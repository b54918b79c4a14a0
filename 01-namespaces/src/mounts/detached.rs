//! A mount by handle, attached nowhere yet. mount(2) does everything at once and
//! by path: between "is this path safe?" and "mount there" somebody can swap a
//! directory for a symlink (CVE-2021-30465), and between "bind" and "remount
//! read-only" it is writable. A handle means the same file for ever, and what is
//! not attached nobody sees.

use super::attributes::{Attributes, Reach};
use crate::error::{InCall, Result};
use crate::root::{self, Root};
use nix::errno::Errno;
use nix::fcntl::AT_FDCWD;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Holds a mount, or a tree of them, that is nowhere in the file system. If it
/// is dropped before it was attached, it is gone.
///
/// Source: open_tree(2), fsmount(2), "Linux 5.2 (2019-07)"
#[derive(Debug)]
pub struct DetachedMount(OwnedFd);

impl DetachedMount {
    /// Makes a second mount of a file or directory of this mount namespace:
    /// what a bind mount is, before it is anywhere.
    ///
    /// # Errors
    /// EPERM: no CAP_SYS_ADMIN over the mount namespace.
    /// EINVAL: the handle is on a mount of another namespace; or only `This`,
    /// where a mount below hides something that a user namespace may not see.
    /// ENOSYS: an older kernel.
    ///
    /// Source: open_tree(2), `OPEN_TREE_CLONE`, "Linux 5.2 (2019-07)"
    pub fn open_tree(file: BorrowedFd<'_>, reach: Reach) -> Result<Self> {
        let mut flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_EMPTY_PATH;
        if reach == Reach::AllBelow {
            flags |= OpenTreeFlags::AT_RECURSIVE;
        }
        let mount = open_tree(file, "", flags)
            .in_call(|| Self::open_tree_call("FILE", reach))?;
        Ok(Self(mount))
    }

    /// Makes a second mount of a file or directory by its path: a symlink is
    /// followed, as the caller sees it.
    ///
    /// # Errors
    /// ENOENT: not there. Else as [`DetachedMount::open_tree`].
    ///
    /// Source: open_tree(2)
    pub fn bind(source: &Path, reach: Reach) -> Result<Self> {
        let mut flags =
            OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        flags.set(OpenTreeFlags::AT_RECURSIVE, reach == Reach::AllBelow);
        let mount = open_tree(AT_FDCWD, source, flags)
            .in_call(|| Self::open_tree_call(&format!("{source:?}"), reach))?;
        Ok(Self(mount))
    }

    /// Takes what fsmount(2) made.
    pub(super) fn new(mount: OwnedFd) -> Self {
        Self(mount)
    }

    /// Changes the mount while nobody can see it.
    ///
    /// # Errors
    /// As [`Attributes::apply`].
    ///
    /// Source: mount_setattr(2)
    pub fn set(&self, attributes: &Attributes, reach: Reach) -> Result<()> {
        attributes.apply(self.as_fd(), reach)
    }

    /// Puts it on a mount point, a directory on a directory and a file on a
    /// file, and gives a handle on its root. A handle on the mount point from
    /// before stays on what is now hidden below.
    ///
    /// # Errors
    /// EINVAL: a directory on a file or the other way round, or the mount point
    /// is in another mount namespace.
    /// EPERM: no CAP_SYS_ADMIN over this one.
    ///
    /// Source: move_mount(2), "Linux 5.2 (2019-07)"
    // ANCHOR: attach
    pub fn attach(self, point: BorrowedFd<'_>) -> Result<OwnedFd> {
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH
            | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        move_mount(&self.0, "", point, "", flags)
            .in_call(|| Self::move_mount_call("POINT"))?;
        Ok(self.0)
    }

    /// Puts it on a path inside a root. A missing mount point is made there.
    ///
    /// # Errors
    /// As [`DetachedMount::attach`], and as [`Root::create_dir_all`].
    ///
    /// Source: move_mount(2), openat2(2)
    pub fn attach_in(self, root: &Root, target: &Path) -> Result<OwnedFd> {
        let point = match root::is_dir(self.as_fd())? {
            true => super::directory(root, target)?,
            false => root.create_file(target)?,
        };
        self.attach(point.as_fd()).map_err(|error| match error.errno {
            Errno::EINVAL => error
                .hint("a directory goes on a directory, and a file on a file"),
            _ => error,
        })
    }
    // ANCHOR_END: attach

    /// Prints the call of [`DetachedMount::open_tree`].
    pub fn open_tree_call(file: &str, reach: Reach) -> String {
        let recursive = match reach {
            Reach::This => "",
            Reach::AllBelow => "|AT_RECURSIVE",
        };
        let flags = "OPEN_TREE_CLONE|AT_EMPTY_PATH";
        format!("open_tree({file}, \"\", {flags}{recursive})")
    }

    /// Prints the call of [`DetachedMount::attach`].
    pub fn move_mount_call(point: &str) -> String {
        format!(
            "move_mount(MNT, \"\", {point}, \"\", \
             MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)"
        )
    }
}

impl AsFd for DetachedMount {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<DetachedMount> for OwnedFd {
    fn from(mount: DetachedMount) -> Self {
        mount.0
    }
}
