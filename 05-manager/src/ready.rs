//! Waits for a descriptor of the kernel's that tokio has no type for: a pidfd,
//! an inotify instance.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::error::{Error, Result, failed};

/// Waits until `fd` is readable; for a pidfd that is when its process has
/// ended.
///
/// # Errors
/// EPERM: a descriptor that epoll does not know, such as a regular file.
///
/// Source: epoll_ctl(2); pidfd_open(2)
#[expect(
    deprecated,
    reason = "the successor is unsafe, for types whose descriptor may change"
)]
pub async fn readable(fd: &impl AsFd) -> Result<()> {
    let raw = fd.as_fd().as_raw_fd();
    let fd = AsyncFd::with_interest(fd.as_fd(), Interest::READABLE)
        .map_err(failed(format!("epoll_ctl({raw})")))?;
    fd.readable().await.map(drop).map_err(failed(format!("epoll_wait({raw})")))
}

/// As [`readable`], for code that blocks: waits until `deadline` at most.
///
/// # Errors
/// [`Error::Failed`]: the deadline has passed; `what` is what did not come.
///
/// Source: poll(2)
pub fn wait_readable(
    fd: BorrowedFd<'_>,
    deadline: Instant,
    what: &str,
) -> Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(fd, PollFlags::POLLIN)], timeout) {
            Ok(0) => {
                return Err(Error::Failed(format!(
                    "waited for {what}, in vain"
                )));
            }
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(failed("poll()")(errno)),
        }
    }
}
