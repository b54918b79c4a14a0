//! A rootfs that is filled file by file. Each directory and symbolic link on a
//! file's path is made again, so that `/lib64 -> usr/lib64` and `sh -> dash`
//! hold inside as they do outside. Files keep their permission bits, except for
//! set-user-ID and its like; all of them belong to whoever makes the bundle.

use super::contents::Placed;
use super::failed;
use super::walk::Walk;
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind::NotFound};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Made in advance: a runtime that finds no directory to mount on makes one,
/// and so writes into the bundle.
const MOUNT_POINTS: [&str; 3] = ["/proc", "/dev", "/sys"];

/// The only user that the default config.json knows, for programs that ask who
/// they are.
const ETC: [(&str, &str); 2] = [
    ("/etc/passwd", "root:x:0:0:root:/:/bin/sh\n"),
    ("/etc/group", "root:x:0:\n"),
];

/// A directory that is becoming a container's root.
pub(crate) struct Rootfs {
    root: PathBuf,
    /// Regular files by their path inside, with where they came from.
    files: HashMap<PathBuf, PathBuf>,
    bytes: u64,
}

impl Rootfs {
    /// Makes the directory, with mount points in it.
    pub(crate) fn create(root: PathBuf) -> Result<Self> {
        let rootfs = Self { root, files: HashMap::new(), bytes: 0 };
        rootfs.directory(Path::new("/"))?;
        for directory in MOUNT_POINTS {
            rootfs.directory(Path::new(directory))?;
        }
        rootfs.directory(Path::new("/tmp"))?;
        chmod(&rootfs.outside(Path::new("/tmp")), 0o1777)?;
        Ok(rootfs)
    }

    /// Copies a file to its place, with the directories and symbolic links on
    /// the way.
    ///
    /// # Errors
    /// ELOOP: too many symbolic links. EEXIST: another file is in its place.
    pub(crate) fn add(&mut self, file: &Placed) -> Result<()> {
        let has_own_place = file.host != file.inside;
        let mut walk = Walk::to(&file.inside);
        while let Some(here) = walk.step() {
            if walk.is_at_end() && has_own_place {
                return self.add_at(&file.host, &here);
            }
            match fs::symlink_metadata(&here) {
                Ok(metadata) if metadata.is_symlink() => {
                    walk.follow(&self.link(&here)?)?;
                }
                Ok(metadata) if metadata.is_dir() => self.directory(&here)?,
                Ok(_) => self.file(&here, &here)?,
                Err(error) if error.kind() == NotFound && has_own_place => {
                    self.directory(&here)?;
                }
                Err(error) => return Err(failed("lstat", &here)(error)),
            }
        }
        Ok(())
    }

    /// Puts a file, or an empty directory, where this machine has none such.
    fn add_at(&mut self, host: &Path, inside: &Path) -> Result<()> {
        if is_directory(host) {
            return self.directory(inside);
        }
        // Two paths of one file are no conflict.
        let real = host.canonicalize().map_err(failed("realpath", host))?;
        self.file(&real, inside)
    }

    /// Writes a file that is not on this machine, unless there is one already.
    pub(crate) fn write(
        &mut self,
        inside: &Path,
        contents: &[u8],
    ) -> Result<()> {
        if self.files.contains_key(inside) {
            return Ok(());
        }
        self.directory(inside.parent().unwrap_or(Path::new("/")))?;
        let mut source = contents;
        self.bytes += fill(&self.outside(inside), &mut source, 0o644)?;
        self.files.insert(inside.into(), PathBuf::new());
        Ok(())
    }

    /// Writes the files without which C libraries do not know who root is.
    pub(crate) fn write_etc(&mut self) -> Result<()> {
        ETC.iter().try_for_each(|(path, text)| {
            self.write(Path::new(path), text.as_bytes())
        })
    }

    /// The number of regular files, and of bytes in them.
    pub(crate) fn size(&self) -> (usize, u64) {
        (self.files.len(), self.bytes)
    }

    fn outside(&self, inside: &Path) -> PathBuf {
        self.root.join(inside.strip_prefix("/").unwrap_or(inside))
    }

    fn directory(&self, inside: &Path) -> Result<()> {
        let path = self.outside(inside);
        match fs::create_dir(&path) {
            // mkdir(2) takes the umask from the mode that it is given.
            Ok(()) => chmod(&path, 0o755),
            // A symbolic link instead would lead out of the rootfs.
            Err(_) if is_directory(&path) => Ok(()),
            Err(error) => Err(failed("mkdir", &path)(error)),
        }
    }

    /// Makes the link again and gives its target.
    fn link(&self, here: &Path) -> Result<PathBuf> {
        let target = fs::read_link(here).map_err(failed("readlink", here))?;
        let path = self.outside(here);
        if fs::read_link(&path).ok().as_ref() != Some(&target) {
            symlink(&target, &path).map_err(failed("symlink", &path))?;
        }
        Ok(target)
    }

    fn file(&mut self, host: &Path, inside: &Path) -> Result<()> {
        match self.files.get(inside) {
            Some(present) if present == host => return Ok(()),
            Some(present) => bail!(
                "{} and {} would both be {} in the container\n\
                 hint: --copy HOST:PATH gives one of them another path",
                present.display(),
                host.display(),
                inside.display()
            ),
            None => {}
        }
        let mut source = super::open(host)?;
        let metadata = source.metadata().map_err(failed("fstat", host))?;
        let mode = metadata.permissions().mode() & 0o777;
        self.bytes += fill(&self.outside(inside), &mut source, mode)
            .with_context(|| host.display().to_string())?;
        self.files.insert(inside.into(), host.into());
        Ok(())
    }
}

/// Makes a file; a symbolic link in its place is an error and not followed,
/// since it may lead out of the rootfs.
fn fill(path: &Path, source: &mut impl io::Read, mode: u32) -> Result<u64> {
    let mut copy = File::create_new(path).map_err(failed("open", path))?;
    let bytes = io::copy(source, &mut copy).map_err(failed("write", path))?;
    chmod(path, mode)?;
    Ok(bytes)
}

fn chmod(path: &Path, mode: u32) -> Result<()> {
    let permissions = Permissions::from_mode(mode);
    fs::set_permissions(path, permissions).map_err(failed("chmod", path))
}

fn is_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}
