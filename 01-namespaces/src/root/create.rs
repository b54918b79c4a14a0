//! What is missing in a root is made; a symlink that leads to what is missing
//! says where. Images bring such: an /etc/resolv.conf that is a link to a file
//! of a systemd which does not run yet.

use super::{Root, without_umask};
use crate::error::{InCall, Result, SyscallError};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2, readlinkat};
use nix::sys::stat::{Mode, SFlag, mkdirat, mknodat};
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// As many symlinks as the kernel follows in one path.
///
/// Source: path_resolution(7), `MAXSYMLINKS`
const MOST_LINKS: u32 = 40;

impl Root {
    /// Makes a directory inside the root, with those above it, and gives a
    /// handle on it. What is there already, stays. A symlink that leads nowhere
    /// is followed, and the directory made where it leads inside the root.
    ///
    /// # Errors
    /// ENOTDIR: something else is there. ELOOP: too many symlinks. EROFS:
    /// read-only.
    ///
    /// Source: mkdirat(2), openat2(2)
    pub fn create_dir_all(&self, path: &Path) -> Result<OwnedFd> {
        Missing { root: self, links: 0 }.make(path, Kind::Directory)
    }

    /// Makes an empty file inside the root as [`Root::create_dir_all`] makes a
    /// directory, and gives a handle on it. What is there already, stays.
    ///
    /// # Errors
    /// As [`Root::create_dir_all`].
    ///
    /// Source: mknodat(2), openat2(2)
    pub fn create_file(&self, path: &Path) -> Result<OwnedFd> {
        Missing { root: self, links: 0 }.make(path, Kind::File)
    }
}

/// Gives the directory that holds a path; a relative one begins at the root.
pub(super) fn above(path: &Path) -> &Path {
    let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    parent.unwrap_or(Path::new("/"))
}

#[derive(Clone, Copy)]
enum Kind {
    Directory,
    File,
}

/// Makes one path, and counts the symlinks on the way to it.
struct Missing<'a> {
    root: &'a Root,
    links: u32,
}

impl Missing<'_> {
    fn make(&mut self, path: &Path, kind: Kind) -> Result<OwnedFd> {
        // The whole path from the root first: that is how an existing symlink
        // stays inside the root. Most paths are there already.
        let root = self.root;
        let open =
            || root.open_with(path, kind.open_flags(), ResolveFlag::empty());
        match open() {
            Err(Errno::ENOENT) => {}
            found => return found.in_call(|| root.open_call(path)),
        }
        let dir = self.make(above(path), Kind::Directory)?;
        // It ends in `..`, of what is there by now.
        let Some(name) = path.file_name() else {
            return open().in_call(|| root.open_call(path));
        };
        match kind.make_in(&dir, name) {
            Ok(()) => kind.open_made(&dir, name).in_call(|| {
                let root = &root.path;
                format!("openat2({root:?}, {path:?}, RESOLVE_NO_SYMLINKS)")
            }),
            Err(Errno::EEXIST) => {
                let leads_to = self.follow(&dir, name, path)?;
                self.make(&leads_to, kind)
            }
            Err(errno) => Err(errno).in_call(|| {
                format!("{}({:?}, {path:?})", kind.call(), root.path)
            }),
        }
    }

    /// Reads where the symlink at the end of `path` leads. Only its text comes
    /// from it: that is looked up from the root again, and so cannot leave it.
    fn follow(
        &mut self,
        dir: &OwnedFd,
        name: &OsStr,
        path: &Path,
    ) -> Result<PathBuf> {
        let call = || format!("readlinkat({:?}, {path:?})", self.root.path);
        self.links += 1;
        if self.links > MOST_LINKS {
            return Err(SyscallError::new(call(), Errno::ELOOP));
        }
        match readlinkat(dir, name) {
            Ok(text) => Ok(above(path).join(text)),
            // Somebody has made something else, or has removed it, meanwhile.
            Err(Errno::EINVAL | Errno::ENOENT) => Ok(path.to_owned()),
            Err(errno) => Err(errno).in_call(call),
        }
    }
}

impl Kind {
    fn open_flags(self) -> OFlag {
        match self {
            Self::Directory => OFlag::O_PATH | OFlag::O_DIRECTORY,
            Self::File => OFlag::O_PATH,
        }
    }

    fn call(self) -> &'static str {
        match self {
            Self::Directory => "mkdirat",
            Self::File => "mknodat",
        }
    }

    fn make_in(self, dir: &OwnedFd, name: &OsStr) -> nix::Result<()> {
        let (dir_mode, file_mode) =
            (Mode::from_bits_truncate(0o755), Mode::from_bits_truncate(0o644));
        without_umask(|| match self {
            Self::Directory => mkdirat(dir, name, dir_mode),
            Self::File => mknodat(dir, name, SFlag::S_IFREG, file_mode, 0),
        })
    }

    /// Opens just what was made: if somebody swaps it for a symlink, we fail.
    fn open_made(self, dir: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
        let how = OpenHow::new()
            .flags(self.open_flags() | OFlag::O_CLOEXEC)
            .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
        openat2(dir, name, how)
    }
}
