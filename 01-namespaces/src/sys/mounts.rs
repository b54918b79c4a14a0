//! Mounts changed by handle: mount_setattr(2), which neither library wraps.
#![allow(unsafe_code)]

use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Changes a mount, or with `AT_RECURSIVE` it and all below it: `MOUNT_ATTR_` to
/// set, those to clear, `MS_` of the propagation; ids as `userns` maps them.
///
/// # Errors
/// EPERM: no CAP_SYS_ADMIN over the mount namespace, or a locked flag. EINVAL: a
/// flag that does not exist, an id map that this file system or mount cannot
/// have. EBUSY: read-only, and somebody has a file open for writing.
///
/// Source: mount_setattr(2), "Linux 5.12 (2021-04)"
pub fn mount_setattr(
    mount: BorrowedFd<'_>,
    flags: i32,
    [set, clear, propagation]: [u64; 3],
    userns: Option<BorrowedFd<'_>>,
) -> nix::Result<()> {
    let (call, fd) = (libc::SYS_mount_setattr, mount.as_raw_fd());
    let (path, flags) = (c"".as_ptr(), libc::AT_EMPTY_PATH | flags);
    let userns = userns.map_or(0, |fd| fd.as_raw_fd() as u64);
    let attr = [set, clear, propagation, userns];
    let size = size_of_val(&attr);
    // SAFETY: a C string, and struct mount_attr: four u64 of `size` bytes.
    let done =
        unsafe { libc::syscall(call, fd, path, flags, attr.as_ptr(), size) };
    Errno::result(done).map(drop)
}
