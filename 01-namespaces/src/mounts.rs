//! Mounts as data: a `Mount` can be planned, printed as the system call that it
//! is, and then done. Inside a root file system the mount point is found and
//! made by handle, so that no symlink there leads out of it.

mod attributes;
mod default;
mod detached;
mod filesystem;
mod idmapped;
mod overlay;
mod propagation;

use crate::error::{InCall, Result, SyscallError};
use crate::root::{self, Root};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::statvfs::{FsFlags, statvfs};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

pub use attributes::{Attributes, MountAttrFlags, Reach, make_read_only_below};
pub use default::{DEFAULT_MOUNTS, DefaultMount, default_mounts};
pub use detached::DetachedMount;
pub use filesystem::Filesystem;
pub use idmapped::{fstype, user_namespace};
pub use overlay::{Overlay, Upper};
pub use propagation::{PROPAGATION, Propagation, set_propagation};

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
    /// As [`Mount::mount`]. ELOOP: /proc, /sys or /dev is a symlink.
    ///
    /// Source: mount(2), openat2(2)
    pub fn mount_in(&self, root: &Root) -> Result<()> {
        if self.is_bind() && self.needs_second_call() {
            // Looked up once more for its flags, the target could be another
            // mount by then (CVE-2021-30465).
            return self.bind_in(root);
        }
        let point = self.mount_point(root)?;
        self.mount_on(&root::path_of(point.as_fd()))?;
        if !self.needs_second_call() {
            return Ok(());
        }
        // The handle is on what is *below* the new mount now.
        self.apply_flags(&root::path_of(root.resolve(&self.target)?.as_fd()))
    }

    /// Mounts over exactly what a handle is on, in one call: for a cover, which
    /// has no flags that would take a second.
    ///
    /// # Errors
    /// As [`Mount::mount`].
    ///
    /// Source: mount(2), proc_pid_fd(5)
    pub fn mount_over(&self, point: BorrowedFd<'_>) -> Result<()> {
        self.mount_on(&root::path_of(point))
    }

    fn bind_in(&self, root: &Root) -> Result<()> {
        let reach = match self.flags.contains(MsFlags::MS_REC) {
            true => Reach::AllBelow,
            false => Reach::This,
        };
        let mount = DetachedMount::bind(&self.source, reach)?;
        let mount = mount.attach_in(root, &self.target)?;
        self.apply_flags(&root::path_of(mount.as_fd()))
    }

    /// Finds the mount point in the root, or makes it.
    ///
    /// # Errors
    /// As [`Root::create_dir_all`]. ELOOP: /proc, /sys or /dev is a symlink.
    ///
    /// Source: openat2(2)
    pub fn mount_point(&self, root: &Root) -> Result<OwnedFd> {
        if self.is_bind() && !self.source.is_dir() {
            return root.create_file(&self.target);
        }
        match self.fstype.as_deref() {
            Some("proc" | "sysfs") => kernel_directory(root, &self.target),
            _ => directory(root, &self.target),
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
        let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
        self.flags.intersects(if self.is_bind() { !bind } else { PROPAGATION })
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

/// Finds or makes the directory of a mount point.
fn directory(root: &Root, target: &Path) -> Result<OwnedFd> {
    // Without `//`, `/./` and a `/` at the end.
    let names: PathBuf = Path::new("/").join(target).components().collect();
    match names.to_str() {
        Some("/proc" | "/sys" | "/dev") => kernel_directory(root, target),
        _ => root.create_dir_all(target),
    }
}

/// Finds or makes one that the kernel fills. Writes to /proc/self/.., masks and
/// devices trust that these are where they seem to be (CVE-2019-19921,
/// CVE-2025-31133): on the way there is no symlink.
fn kernel_directory(root: &Root, target: &Path) -> Result<OwnedFd> {
    root.create_dir_all(target)?;
    root.resolve_no_symlinks(target).map_err(|error| {
        error.hint(
            "the root file system has a symlink where the kernel's own files \
             belong",
        )
    })
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
    let has = flags_of(target)?;
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags | has;
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>).in_call(
        || format!("mount(NULL, {target:?}, NULL, {}, NULL)", names_of(flags)),
    )
}

/// Reads the flags that a mount has, as mount(2) takes them.
///
/// # Errors
/// ENOENT: nothing is there.
///
/// Source: statvfs(3)
pub fn flags_of(target: &Path) -> Result<MsFlags> {
    const PAIRS: [(FsFlags, MsFlags); 7] = [
        (FsFlags::ST_RDONLY, MsFlags::MS_RDONLY),
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
        (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
        (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
        (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
    ];
    let has = statvfs(target).in_call(|| format!("statvfs({target:?})"))?;
    let flags = PAIRS.iter().filter(|(st, _)| has.flags().contains(*st));
    Ok(flags.fold(MsFlags::empty(), |all, (_, ms)| all | *ms))
}
