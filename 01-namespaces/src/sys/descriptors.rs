//! Descriptors that come from somewhere else: inherited by number, or received
//! over a socket. Taking ownership of one is what makes these unsafe, since
//! only the caller's story says that nobody else owns it.
#![allow(unsafe_code)]

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Copies a descriptor that this process was started with and knows by number
/// only. The copy is close-on-exec and above stderr.
///
/// # Errors
/// EBADF: nothing is open under that number. EMFILE: no descriptor left.
///
/// Source: fcntl(2), `F_DUPFD_CLOEXEC`
pub fn dup_inherited(number: RawFd) -> nix::Result<OwnedFd> {
    // SAFETY: three integers; a number that is not open gives EBADF. The
    // original keeps its owner, if it has one.
    let fd = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    // SAFETY: the call succeeded, so this is a new descriptor that nothing else
    // owns.
    Errno::result(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets close-on-exec on every descriptor from `first` up.
///
/// # Errors
/// ENOSYS, EINVAL: an older kernel.
///
/// Source: close_range(2); `CLOSE_RANGE_CLOEXEC`, "Linux 5.11 (2021-02)"
pub fn close_range_cloexec(first: u32) -> nix::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC as i32;
    // SAFETY: three integers. No descriptor is closed now, so no OwnedFd of
    // this process loses what it owns.
    let done = unsafe { libc::close_range(first, u32::MAX, flags) };
    Errno::result(done).map(drop)
}

/// Receives one descriptor, close-on-exec from its first moment, and the
/// message (up to 4096 bytes) that came with it.
///
/// # Errors
/// EBADMSG: the message brought no descriptor. ECONNRESET: the other end is
/// gone. EAGAIN: nothing there, and the socket does not wait.
///
/// Source: unix(7), "SCM_RIGHTS"
pub fn receive_fd(socket: BorrowedFd<'_>) -> nix::Result<(OwnedFd, Vec<u8>)> {
    let mut buffer = vec![0; 4096];
    let mut space = cmsg_space!([RawFd; 1]);
    let mut io = [IoSliceMut::new(&mut buffer)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message =
        recvmsg::<()>(socket.as_raw_fd(), &mut io, Some(&mut space), flags)?;
    let length = message.bytes;
    let mut received = Vec::new();
    for control in message.cmsgs()? {
        let ControlMessageOwned::ScmRights(fds) = control else { continue };
        // SAFETY: the kernel has just made these descriptors for this message;
        // nothing else owns them. All are taken, not only the first: padding
        // leaves room for a second one, which would leak.
        received.extend(
            fds.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }),
        );
    }
    buffer.truncate(length);
    received.into_iter().next().map(|fd| (fd, buffer)).ok_or(Errno::EBADMSG)
}
