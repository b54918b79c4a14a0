//! A directory by handle, inside which every path is resolved as if it were
//! `/`: no symlink and no `..` leads out of it. A root file system comes from
//! strangers. Whoever puts its path and another together as strings, mounts on
//! the host.

mod create;

use crate::error::{InCall, Result, SyscallError};
use create::above;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::{
    FileStat, Mode, SFlag, fstat, major, minor, mknodat, umask,
};
use nix::unistd::{UnlinkatFlags, symlinkat, unlinkat};
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Holds the root directory of a container, seen from outside.
///
/// Source: open(2), `O_PATH`
#[derive(Debug)]
pub struct Root {
    dir: OwnedFd,
    path: PathBuf,
}

impl Root {
    /// Opens a directory as a root. Whoever changes its path afterwards does
    /// not change what we hold.
    ///
    /// # Errors
    /// ENOENT: no such directory. ENOTDIR: not one.
    ///
    /// Source: open(2), `O_PATH`
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let dir = open(path, flags, Mode::empty())
            .in_call(|| format!("open({path:?}, O_PATH|O_DIRECTORY)"))?;
        Ok(Self { dir, path: path.to_owned() })
    }

    /// Takes the root of a mount as a root; `path` is where it is attached.
    pub fn of_mount(mount: OwnedFd, path: &Path) -> Self {
        Self { dir: mount, path: path.to_owned() }
    }

    /// Gives the path that it was opened with; only for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Resolves a path inside the root to a handle (`O_PATH`) on what is there.
    ///
    /// # Errors
    /// ENOENT: not there. ELOOP: too many symlinks. EAGAIN: somebody kept
    /// renaming while we looked.
    ///
    /// Source: openat2(2), `RESOLVE_IN_ROOT`, "Linux 5.6 (2020-03)"
    pub fn resolve(&self, path: &Path) -> Result<OwnedFd> {
        self.open_with(path, OFlag::O_PATH, ResolveFlag::empty())
            .in_call(|| self.open_call(path))
    }

    /// Resolves like [`Root::resolve`]; `None`: not there.
    ///
    /// # Errors
    /// As [`Root::resolve`].
    ///
    /// Source: openat2(2)
    pub fn find(&self, path: &Path) -> Result<Option<OwnedFd>> {
        match self.open_with(path, OFlag::O_PATH, ResolveFlag::empty()) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(None),
            found => found.map(Some).in_call(|| self.open_call(path)),
        }
    }

    /// Resolves like [`Root::resolve`], but refuses a path with a symlink
    /// anywhere in it.
    ///
    /// # Errors
    /// ELOOP: there is a symlink.
    ///
    /// Source: openat2(2), `RESOLVE_NO_SYMLINKS`
    pub fn resolve_no_symlinks(&self, path: &Path) -> Result<OwnedFd> {
        let no_symlinks = ResolveFlag::RESOLVE_NO_SYMLINKS;
        self.open_with(path, OFlag::O_PATH, no_symlinks)
            .in_call(|| self.open_call(path))
    }

    /// Opens a file inside the root, for example to read it. `O_CLOEXEC` is
    /// added.
    ///
    /// # Errors
    /// As [`Root::resolve`]. EISDIR, EROFS: it cannot be written. ENXIO: a FIFO
    /// without a reader, or a device without a driver.
    ///
    /// Source: openat2(2)
    pub fn open_file(&self, path: &Path, flags: OFlag) -> Result<OwnedFd> {
        self.open_with(path, flags, ResolveFlag::empty())
            .in_call(|| self.open_call(path))
    }

    /// Makes a device, FIFO or file inside the root, with the directories above
    /// it.
    ///
    /// # Errors
    /// EEXIST: something is there. EPERM: a device, and we are not root of the
    /// first user namespace.
    ///
    /// Source: mknodat(2)
    pub fn mknod(&self, path: &Path, node: &Node) -> Result<()> {
        let (dir, name) = self.parent(path)?;
        without_umask(|| mknodat(&dir, name, node.kind, node.mode, node.device))
            .in_call(|| format!("mknodat({:?}, {path:?}, {node})", self.path))
    }

    /// Makes a symlink inside the root, with the directories above it. A file
    /// or symlink that is there is replaced.
    ///
    /// # Errors
    /// EISDIR: a directory is there.
    ///
    /// Source: symlinkat(2)
    pub fn symlink(&self, target: &Path, path: &Path) -> Result<()> {
        let (dir, name) = self.parent(path)?;
        match unlinkat(&dir, name, UnlinkatFlags::NoRemoveDir) {
            Ok(()) | Err(Errno::ENOENT) => {}
            Err(errno) => {
                return Err(errno).in_call(|| {
                    format!("unlinkat({:?}, {path:?})", self.path)
                });
            }
        }
        symlinkat(target, &dir, name).in_call(|| {
            format!("symlinkat({target:?}, {:?}, {path:?})", self.path)
        })
    }

    /// Opens the directory that holds `path`, making it if need be, and gives
    /// the last name.
    fn parent<'a>(&self, path: &'a Path) -> Result<(OwnedFd, &'a Path)> {
        let name = path.file_name().ok_or_else(|| {
            SyscallError::new(
                format!("openat2({:?}, {path:?})", self.path),
                Errno::EINVAL,
            )
            .hint("the path has to end in a name")
        })?;
        let dir = self.create_dir_all(above(path))?;
        Ok((dir, Path::new(name)))
    }

    // ANCHOR: open_in_root
    fn open_with(
        &self,
        path: &Path,
        flags: OFlag,
        more: ResolveFlag,
    ) -> nix::Result<OwnedFd> {
        let resolve = ResolveFlag::RESOLVE_IN_ROOT
            | ResolveFlag::RESOLVE_NO_MAGICLINKS
            | more;
        let how =
            OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(resolve);
        // EAGAIN: a rename raced with a `..`. Whoever races on purpose gets
        // these tries, then an error.
        for _ in 0..128 {
            match openat2(&self.dir, path, how) {
                Err(Errno::EAGAIN) => {}
                result => return result,
            }
        }
        Err(Errno::EAGAIN)
    }
    // ANCHOR_END: open_in_root

    /// Says what was tried, for an error.
    fn open_call(&self, path: &Path) -> String {
        format!("openat2({:?}, {path:?}, RESOLVE_IN_ROOT)", self.path)
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

/// Says what [`Root::mknod`] makes.
///
/// Source: mknod(2), inode(7)
#[derive(Debug, Clone, Copy)]
pub struct Node {
    /// `S_IFCHR`, `S_IFBLK`, `S_IFIFO` or `S_IFREG`.
    pub kind: SFlag,
    /// Permissions, before the umask.
    pub mode: Mode,
    /// Device number, see makedev(3); 0 if it is no device.
    pub device: u64,
}

impl fmt::Display for Node {
    /// Prints the last arguments of mknodat(2) as strace(1) does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = self.mode.bits();
        let (major, minor) = (major(self.device), minor(self.device));
        match self.kind {
            SFlag::S_IFCHR | SFlag::S_IFBLK => {
                let kind =
                    if self.kind == SFlag::S_IFCHR { "CHR" } else { "BLK" };
                write!(f, "S_IF{kind}|0{mode:o}, makedev({major}, {minor})")
            }
            SFlag::S_IFIFO => write!(f, "S_IFIFO|0{mode:o}"),
            _ => write!(f, "S_IFREG|0{mode:o}"),
        }
    }
}

/// The caller's umask is about the caller's files: with 077 a container's
/// /dev/null would be root's alone.
fn without_umask<T>(make: impl FnOnce() -> T) -> T {
    let mask = umask(Mode::empty());
    let made = make();
    umask(mask);
    made
}

/// Gives a path that means exactly the file of a handle, for calls such as
/// mount(2) that take only paths. Needs /proc.
///
/// Source: proc_pid_fd(5)
pub fn path_of(fd: BorrowedFd<'_>) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

/// Reads what a handle is: kind, mode, device number.
///
/// # Errors
/// EBADF: not open; cannot happen to a borrowed descriptor.
///
/// Source: fstat(2)
pub fn status(fd: BorrowedFd<'_>) -> Result<FileStat> {
    fstat(fd).in_call(|| "fstat(..)".into())
}

/// Tells whether a handle is a directory.
///
/// # Errors
/// As [`status`].
///
/// Source: inode(7), "The file type and mode"
pub fn is_dir(fd: BorrowedFd<'_>) -> Result<bool> {
    Ok(SFlag::from_bits_truncate(status(fd)?.st_mode) & SFlag::S_IFMT
        == SFlag::S_IFDIR)
}
