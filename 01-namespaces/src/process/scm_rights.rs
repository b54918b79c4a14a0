//! Descriptors that travel between processes through a Unix socket: the kernel
//! puts a copy into the receiver's table.

use crate::error::{InCall, Result};
use crate::sys;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use std::io::IoSlice;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// Sends one descriptor with `message` (at least a byte) over a Unix socket.
///
/// # Errors
/// EPIPE: nobody holds the other end. ENOTSOCK: not a socket.
///
/// Source: unix(7), "SCM_RIGHTS"
pub fn send_fd(
    socket: BorrowedFd<'_>,
    message: &[u8],
    fd: BorrowedFd<'_>,
) -> Result<()> {
    let fds = [fd.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&fds)];
    let io = [IoSlice::new(message)];
    let (socket, flags) = (socket.as_raw_fd(), MsgFlags::MSG_NOSIGNAL);
    sendmsg::<()>(socket, &io, &rights, flags, None)
        .map(drop)
        .in_call(|| "sendmsg(.., SCM_RIGHTS)".into())
}

/// Receives one descriptor, close-on-exec from its first moment, and the
/// message (up to 4096 bytes) that came with it.
///
/// # Errors
/// EBADMSG: no descriptor came, or the other end is closed. ENOBUFS: more than
/// two came.
///
/// Source: unix(7), "SCM_RIGHTS"
pub fn receive_fd(socket: BorrowedFd<'_>) -> Result<(OwnedFd, Vec<u8>)> {
    sys::receive_fd(socket).in_call(|| "recvmsg(.., MSG_CMSG_CLOEXEC)".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, fcntl};
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_arrives_with_its_message_and_is_close_on_exec() {
        let (us, them) = UnixStream::pair().unwrap();
        let null = File::open("/dev/null").unwrap();
        send_fd(us.as_fd(), b"/dev/null", null.as_fd()).unwrap();
        let (fd, message) = receive_fd(them.as_fd()).unwrap();
        assert_eq!(message, b"/dev/null");
        assert_eq!(fcntl(&fd, FcntlArg::F_GETFD), Ok(libc::FD_CLOEXEC));
        assert_eq!(File::from(fd).read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn a_message_without_a_descriptor_is_refused() {
        let (us, them) = UnixStream::pair().unwrap();
        std::io::Write::write_all(&mut &us, b"x").unwrap();
        let error = receive_fd(them.as_fd()).unwrap_err();
        assert_eq!(error.errno, nix::errno::Errno::EBADMSG);
    }
}
