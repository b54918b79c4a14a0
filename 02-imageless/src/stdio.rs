//! Standard input, output and error belong to whoever called the runtime, often
//! to root. A container's user could read and write them, but not open
//! /dev/stdout anew, as many a program does.

use anyhow::Result;
use namespaces::InCall;
use namespaces::root::status;
use nix::errno::Errno;
use nix::sys::stat::makedev;
use nix::unistd::{Uid, fchown};
use std::os::fd::{AsFd, BorrowedFd};

/// Makes the container's user their owner. Runs in its process while that is
/// root. Not the host's /dev/null: that is everybody's.
///
/// # Errors
/// EIO and the like: the file system's own.
///
/// Source: fchown(2)
pub(crate) fn give_to(uid: u32) -> Result<()> {
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let stderr = std::io::stderr();
    [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()]
        .into_iter()
        .try_for_each(|fd| give(fd, uid))
}

fn give(fd: BorrowedFd<'_>, uid: u32) -> Result<()> {
    // EBADF: closed by the caller, which is its right.
    let Ok(status) = status(fd) else { return Ok(()) };
    if status.st_uid == uid || status.st_rdev == makedev(1, 3) {
        return Ok(());
    }
    match fchown(fd, Some(Uid::from_raw(uid)), None) {
        // A read-only file system; or a user namespace, which has no say about
        // a file of the host.
        Err(Errno::EROFS | Errno::EPERM | Errno::EINVAL) => Ok(()),
        result => Ok(result.in_call(|| format!("fchown(.., {uid}, -1)"))?),
    }
}
