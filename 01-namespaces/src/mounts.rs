//! Mounts as data: a `Mount` can be planned, printed as the system call that it
//! is, and then done. Inside a root file system the mount point is found and
//! made by handle, so that a symlink there leads nowhere.

mod default;

use crate::error::{InCall, Result, SyscallError};
use crate::root::{self, Root};
use crate::sys;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::statvfs::{FsFlags, statvfs};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

pub use default::{DEFAULT_MOUNTS, DefaultMount, default_mounts};

/// Describes one call of mount(2).
///
/// Source: mount(2)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// A name for a file system without a device; a path on the host for a bind
    /// mount.
    pub source: PathBuf,
    /// Where: absolute, as the container will see it.
    pub target: PathBuf,
    /// The type of file system; `None` for a bind mount.
    pub fstype: Option<String>,
    /// Flags, all in one set; [`Mount::mount`] makes the several calls that
    /// mount(2) wants.
    pub flags: MsFlags,
    /// What the file system itself reads: `mode=755,size=64k`.
    pub data: Option<String>,
}

impl Mount {
    /// Describes a new file system.
    pub fn new(fstype: &str, target: impl Into<PathBuf>) -> Self {
        let (source, flags) = (PathBuf::from(fstype), MsFlags::empty());
        Self {
            source,
            target: target.into(),
            fstype: Some(fstype.into()),
            flags,
            data: None,
        }
    }

    /// Describes a bind mount of `source`, with what is mounted below it.
    pub fn bind(
        source: impl Into<PathBuf>,
        target: impl Into<PathBuf>,
    ) -> Self {
        let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
        Self {
            source: source.into(),
            target: target.into(),
            fstype: None,
            flags,
            data: None,
        }
    }

    /// Adds flags.
    pub fn with_flags(self, flags: MsFlags) -> Self {
        Self { flags: self.flags | flags, ..self }
    }

    /// Sets the data for the file system.
    pub fn with_data(self, data: impl Into<String>) -> Self {
        Self { data: Some(data.into()), ..self }
    }

    /// Mounts on `target` as the caller sees it.
    ///
    /// # Errors
    /// EPERM: no CAP_SYS_ADMIN here, or a user namespace that does not own what
    /// is mounted. ENOENT: no mount point.
    /// ENODEV: the kernel lacks that file system.
    ///
    /// Source: mount(2)
    pub fn mount(&self) -> Result<()> {
        self.mount_on(&self.target)?;
        self.apply_flags(&self.target)
    }

    /// Mounts on `target` inside a root; a missing mount point is made there, a
    /// file if the source of a bind mount is one.
    ///
    /// # Errors
    /// As [`Mount::mount`]. ELOOP: /proc or /sys would go through a symlink.
    ///
    /// Source: mount(2), openat2(2)
    pub fn mount_in(&self, root: &Root) -> Result<()> {
        let point = self.mount_point(root)?;
        self.mount_on(&root::path_of(point.as_fd()))?;
        if !self.needs_second_call() {
            return Ok(());
        }
        // The handle is on what is *below* the new mount now; the flags belong
        // to the mount on top.
        let top = root.resolve(&self.target)?;
        self.apply_flags(&root::path_of(top.as_fd()))
    }

    /// Finds the mount point in the root, or makes it.
    fn mount_point(&self, root: &Root) -> Result<OwnedFd> {
        if self.is_bind() && !self.source.is_dir() {
            return root.create_file(&self.target);
        }
        let point = root.create_dir_all(&self.target)?;
        match self.fstype.as_deref() {
            // Later writes to /proc/self/.. and /proc/sys trust that these are
            // where they seem to be (CVE-2019-19921).
            Some("proc" | "sysfs") => root
                .resolve_no_symlinks(&self.target)
                .map_err(|error| error.hint(SYMLINK_HINT)),
            _ => Ok(point),
        }
    }

    fn mount_on(&self, target: &Path) -> Result<()> {
        let flags = if self.is_bind() {
            self.flags & (MsFlags::MS_BIND | MsFlags::MS_REC)
        } else {
            self.flags - PROPAGATION
        };
        mount(
            Some(&self.source),
            target,
            self.fstype.as_deref(),
            flags,
            self.data.as_deref(),
        )
        .in_call(|| self.to_string())
        .map_err(|error| self.explain(error))
    }

    /// Applies what the first call ignores: flags of a bind mount, and the
    /// propagation.
    fn apply_flags(&self, target: &Path) -> Result<()> {
        let own = self.flags - PROPAGATION - MsFlags::MS_BIND - MsFlags::MS_REC;
        if self.is_bind() && !own.is_empty() {
            remount(target, own)?;
        }
        let propagation = self.flags & PROPAGATION;
        if !propagation.is_empty() {
            let flags = propagation | (self.flags & MsFlags::MS_REC);
            set_propagation(target, flags)?;
        }
        Ok(())
    }

    fn needs_second_call(&self) -> bool {
        self.is_bind() || self.flags.intersects(PROPAGATION)
    }

    fn is_bind(&self) -> bool {
        self.flags.contains(MsFlags::MS_BIND)
    }

    fn explain(&self, error: SyscallError) -> SyscallError {
        let fstype = self.fstype.as_deref();
        let row = DEFAULT_MOUNTS.iter().find(|row| Some(row.fstype) == fstype);
        match (error.errno, row) {
            (Errno::EPERM, Some(row)) => error.hint(format!(
                "in a user namespace this needs a new {} namespace too, and \
                 nothing mounted over parts of the host's {}",
                row.owner.file(),
                row.target
            )),
            _ => error,
        }
    }
}

impl fmt::Display for Mount {
    /// Prints the call as strace(1) does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mount({:?}, {:?}, ", self.source, self.target)?;
        match &self.fstype {
            Some(fstype) => write!(f, "{fstype:?}, ")?,
            None => f.write_str("NULL, ")?,
        }
        match self.flags.is_empty() {
            true => f.write_str("0, ")?,
            false => write!(f, "{}, ", names_of(self.flags))?,
        }
        match &self.data {
            Some(data) => write!(f, "{data:?})"),
            None => f.write_str("NULL)"),
        }
    }
}

fn names_of(flags: MsFlags) -> String {
    flags.iter_names().map(|(name, _)| name).collect::<Vec<_>>().join("|")
}

const SYMLINK_HINT: &str =
    "the root file system has a symlink where the kernel's own files belong";

/// The four ways in which a mount can share what happens below it.
///
/// Source: mount_namespaces(7), "SHARED SUBTREES"
const PROPAGATION: MsFlags = MsFlags::MS_SHARED
    .union(MsFlags::MS_PRIVATE)
    .union(MsFlags::MS_SLAVE)
    .union(MsFlags::MS_UNBINDABLE);

/// Changes the propagation of a mount (with `MS_REC`, of all below it too).
///
/// # Errors
/// EINVAL: not a mount point. EPERM: not ours to change.
///
/// Source: mount_namespaces(7)
pub fn set_propagation(target: &Path, flags: MsFlags) -> Result<()> {
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>).in_call(
        || format!("mount(NULL, {target:?}, NULL, {}, NULL)", names_of(flags)),
    )
}

/// Adds flags such as `MS_RDONLY` to a mount, and keeps those that it has: a
/// user namespace may not take any away.
///
/// # Errors
/// EINVAL: not a mount point. EPERM: a flag would go that another user
/// namespace has set.
///
/// Source: mount(2), "Remounting an existing mount"; mount_namespaces(7),
/// "Restrictions on mount namespaces"
pub fn remount(target: &Path, flags: MsFlags) -> Result<()> {
    let has =
        statvfs(target).in_call(|| format!("statvfs({target:?})"))?.flags();
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags | kept(has);
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>).in_call(
        || format!("mount(NULL, {target:?}, NULL, {}, NULL)", names_of(flags)),
    )
}

/// Makes a mount and all mounts below it read-only; a remount reaches only the
/// one on top, and the host's /sys has writable cgroups below it
/// (CVE-2023-25809).
///
/// # Errors
/// EINVAL: not a mount point. EPERM: not ours to change.
///
/// Source: mount_setattr(2), "Linux 5.12 (2021-04)"
pub fn make_read_only_below(mount: BorrowedFd<'_>) -> Result<()> {
    sys::mount_setattr_recursive(mount, libc::MOUNT_ATTR_RDONLY)
        .in_call(|| "mount_setattr(.., AT_RECURSIVE, MOUNT_ATTR_RDONLY)".into())
}

/// Makes a second mount of a file or directory, attached nowhere: it is there
/// as long as its handle, or what was opened or executed through it.
///
/// # Errors
/// EPERM: no CAP_SYS_ADMIN over the mount namespace. EINVAL: the handle is on a
/// mount of another namespace. ENOSYS: an older kernel.
///
/// Source: open_tree(2), `OPEN_TREE_CLONE`, "Linux 5.2 (2019-07)"
pub fn clone_mount(file: BorrowedFd<'_>) -> Result<OwnedFd> {
    use rustix::mount::OpenTreeFlags as Flags;
    let flags = Flags::OPEN_TREE_CLONE
        | Flags::OPEN_TREE_CLOEXEC
        | Flags::AT_EMPTY_PATH;
    rustix::mount::open_tree(file, "", flags)
        .map_err(std::io::Error::from)
        .in_call(|| "open_tree(.., OPEN_TREE_CLONE|AT_EMPTY_PATH)".into())
}

/// Translates what statvfs(3) reports into what mount(2) takes.
fn kept(has: FsFlags) -> MsFlags {
    const PAIRS: [(FsFlags, MsFlags); 7] = [
        (FsFlags::ST_RDONLY, MsFlags::MS_RDONLY),
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ];
    PAIRS
        .iter()
        .filter(|(st, _)| has.contains(*st))
        .fold(MsFlags::empty(), |all, (_, ms)| all | *ms)
}
