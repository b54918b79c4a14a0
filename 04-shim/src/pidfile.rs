//! Pid files. The shim's own is locked as long as the shim lives: a pid alone
//! can come to mean another process, but `F_GETLK` names the holder, or says
//! that there is none, and the kernel drops the lock however the shim ends.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use namespaces::{InCall, SyscallError};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::unistd::Pid;

/// Holds the lock on the shim's pid file.
///
/// fcntl(2): the lock goes when this process closes *any* descriptor of the
/// file, so nobody else here may open it.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    _file: File,
}

impl PidFile {
    /// Locks the file and writes this process' pid. The lock first: until we
    /// hold it, the file is another shim's.
    ///
    /// # Errors
    /// EAGAIN: another shim lives, with this pid file. ENOENT: its directory
    /// does not exist.
    ///
    /// Source: `F_SETLK(2const)`
    pub(crate) fn lock(path: &Path) -> Result<Self, SyscallError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let mut file =
            file.in_call(|| format!("open({path:?}, O_RDWR | O_CREAT)"))?;
        let mut lock = whole_file();
        if let Err(errno) = fcntl(&file, FcntlArg::F_SETLK(&lock)) {
            let error =
                SyscallError::new(format!("fcntl({path:?}, F_SETLK)"), errno);
            return match fcntl(&file, FcntlArg::F_GETLK(&mut lock)) {
                Ok(_) if matches!(errno, Errno::EAGAIN | Errno::EACCES) => {
                    Err(error.hint(format!(
                        "the shim with pid {} has this container",
                        lock.l_pid
                    )))
                }
                _ => Err(error),
            };
        }
        file.set_len(0).in_call(|| format!("ftruncate({path:?}, 0)"))?;
        file.write_all(Pid::this().to_string().as_bytes())
            .in_call(|| format!("write({path:?})"))?;
        Ok(Self { path: path.to_owned(), _file: file })
    }

    /// Removes the file, and with it the lock.
    ///
    /// # Errors
    /// EROFS, EACCES: the directory does not let us anymore.
    pub(crate) fn remove(self) -> Result<(), SyscallError> {
        remove(&self.path)
    }
}

fn whole_file() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: 0,
        l_len: 0, // to the end, however far that moves
        l_pid: 0,
    }
}

/// Reads a pid file that a runtime has written: a decimal number, with or
/// without a newline.
///
/// # Errors
/// ENOENT: the runtime wrote none. Not a positive number.
pub(crate) fn read(path: &Path) -> Result<Pid> {
    let text =
        fs::read_to_string(path).in_call(|| format!("read({path:?})"))?;
    let pid = text
        .trim_end()
        .parse::<u32>()
        .with_context(|| format!("{path:?}: {text:?}"))?;
    let pid =
        i32::try_from(pid).with_context(|| format!("{path:?}: {text:?}"))?;
    Ok(Pid::from_raw(pid))
}

/// Removes a file; that there is none is as good.
///
/// # Errors
/// EROFS, EACCES: the directory does not let us.
pub(crate) fn remove(path: &Path) -> Result<(), SyscallError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.in_call(|| format!("unlink({path:?})")),
    }
}
