//! overlayfs: directories laid on top of each other, seen as one. Only the
//! upper one is ever written; a file of a lower one that is changed is copied up
//! first, and one that is deleted is covered by a mark. So one root file system
//! serves many containers, and none of them changes it.

use super::detached::DetachedMount;
use super::filesystem::Filesystem;
use crate::error::{InCall, Result};
use crate::idmap::in_first_user_namespace;
use crate::root::{Root, path_of, status};
use std::fs::{Permissions, set_permissions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Describes an overlay. All directories are handles on mounts of this mount
/// namespace.
///
/// Source: kernel documentation, filesystems/overlayfs.rst, "Linux 3.18
/// (2014-12)"; in a user namespace, "Linux 5.11 (2021-02)"
#[derive(Debug)]
pub struct Overlay<'a> {
    /// What is read only, the topmost first; up to a dozen.
    pub lower: &'a [BorrowedFd<'a>],
    /// What takes the changes; `None`: nothing can be changed.
    pub upper: Option<Upper<'a>>,
}

/// The two directories, on one file system, that take the changes.
///
/// Source: filesystems/overlayfs.rst, "Upper and Lower"
#[derive(Debug)]
pub struct Upper<'a> {
    /// The changes themselves.
    pub dir: BorrowedFd<'a>,
    /// An empty one, in which the kernel prepares them.
    pub work: BorrowedFd<'a>,
}

impl Overlay<'_> {
    /// Describes the file system.
    pub fn filesystem(&self) -> Filesystem {
        // By handle: so no path is looked up again, a colon in one separates
        // nothing, and none is longer than the 255 bytes of an option.
        let path = |dir| path_of(dir).display().to_string();
        let lower: Vec<_> = self.lower.iter().map(|dir| path(*dir)).collect();
        let upper = self.upper.as_ref();
        let upper = upper.map(|upper| (path(upper.dir), path(upper.work)));
        describe(&lower.join(":"), upper)
    }

    /// Lists the calls for an overlay whose changes go to a tmpfs, as
    /// [`Root::overlay`] makes it.
    pub fn calls() -> Vec<String> {
        let upper = ("UPPER".to_owned(), "WORK".to_owned());
        let point = DetachedMount::move_mount_call("ROOT");
        let tmpfs = Filesystem::tmpfs(UPPER_OPTIONS).calls();
        let overlay = describe("LOWER", Some(upper)).calls();
        tmpfs
            .into_iter()
            .chain([point.clone()])
            .chain(["mkdirat(MNT, \"upper\"), mkdirat(MNT, \"work\")".into()])
            .chain(overlay)
            .chain([point])
            .collect()
    }
}

fn describe(lower: &str, upper: Option<(String, String)>) -> Filesystem {
    let overlay = Filesystem::new("overlay").with_option("lowerdir", lower);
    let overlay = match upper {
        Some((dir, work)) => {
            overlay.with_option("upperdir", &dir).with_option("workdir", &work)
        }
        None => overlay,
    };
    match in_first_user_namespace() {
        true => overlay,
        // The marks are extended attributes `trusted.*`, for which a user
        // namespace has no right; with this they are `user.*`.
        false => overlay.with_flag("userxattr"),
    }
}

const UPPER_OPTIONS: &str = "mode=755";

impl Root {
    /// Covers a directory with an overlay of itself whose changes go to a
    /// tmpfs, and opens that. The directory is only read; the changes vanish
    /// with the mount namespace.
    ///
    /// # Errors
    /// EPERM: not in a mount namespace of our own. ENODEV: no overlayfs.
    /// EINVAL: the directory is on a file system that cannot be a lower layer,
    /// or something is mounted in it that a user namespace may not lift.
    ///
    /// Source: kernel documentation, filesystems/overlayfs.rst
    // ANCHOR: throw_away
    pub fn overlay(path: &Path) -> Result<Self> {
        let lower = Self::open(path)?;
        // It has to be mounted somewhere to become a layer; there it is hidden
        // by the overlay at once.
        let tmpfs = Filesystem::tmpfs(UPPER_OPTIONS).create()?;
        let tmpfs = Self::of_mount(tmpfs.attach(lower.as_fd())?, path);
        let dir = tmpfs.create_dir_all(Path::new("upper"))?;
        let work = tmpfs.create_dir_all(Path::new("work"))?;
        copy_mode(lower.as_fd(), dir.as_fd())?;
        let upper = Some(Upper { dir: dir.as_fd(), work: work.as_fd() });
        let overlay = Overlay { lower: &[lower.as_fd()], upper }.filesystem();
        let overlay = overlay.create()?.attach(tmpfs.as_fd())?;
        Ok(Self::of_mount(overlay, path))
    }
    // ANCHOR_END: throw_away
}

/// The top directory of an overlay has the mode of its upper one.
fn copy_mode(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    let mode = Permissions::from_mode(status(from)?.st_mode & 0o7777);
    set_permissions(path_of(to), mode).in_call(|| "fchmodat(UPPER, ..)".into())
}
