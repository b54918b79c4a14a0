//! Waiting for what the kernel can announce: a file that changes, a process
//! that ends. Every wait has an end.

use anyhow::{Context, Result, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// Longer than anything in the story takes, on a busy machine too.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Looks until `look` finds something: at once, then whenever something in
/// `folder` changes.
///
/// # Errors
/// Those of `look`; or it did not happen in time, with `what` as its name.
///
/// Source: inotify(7)
pub(super) fn until<T>(
    folder: &Path,
    limit: Duration,
    what: &str,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let flags = InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK;
    let inotify = Inotify::init(flags).context("inotify_init1(..)")?;
    let changes = AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_MOVED_TO
        | AddWatchFlags::IN_MODIFY;
    inotify
        .add_watch(folder, changes)
        .with_context(|| format!("inotify_add_watch({})", folder.display()))?;
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if !readable(inotify.as_fd(), end)? {
            bail!("not within {} s: {what}", limit.as_secs());
        }
        inotify.read_events().context("read(inotify)")?;
    }
}

/// Waits until a process has ended; one that is gone already has.
///
/// # Errors
/// It did not end within `limit`.
///
/// Source: pidfd_open(2), Linux 5.3 (2019-09)
pub(super) fn until_ended(pid: i32, limit: Duration) -> Result<()> {
    let number = Pid::from_raw(pid).context("pid 0 is no process")?;
    let pidfd = match pidfd_open(number, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        opened => opened.with_context(|| format!("pidfd_open({pid})"))?,
    };
    if readable(pidfd.as_fd(), Instant::now() + limit)? {
        return Ok(());
    }
    bail!("process {pid} has not ended within {} s", limit.as_secs())
}

fn readable(fd: BorrowedFd<'_>, end: Instant) -> Result<bool> {
    let left = end.saturating_duration_since(Instant::now());
    let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
    let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
    Ok(poll(&mut fds, timeout).context("poll(..)")? > 0)
}

#[cfg(test)]
mod tests {
    use super::{until, until_ended};
    use std::process::Command;
    use std::time::Duration;

    #[test]
    fn a_process_that_is_gone_has_ended() {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        until_ended(pid, Duration::from_secs(10)).unwrap();
        child.wait().unwrap();
        until_ended(pid, Duration::ZERO).unwrap();
    }

    #[test]
    fn a_process_that_lives_has_not_ended() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let error = until_ended(pid, Duration::from_millis(1)).unwrap_err();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(error.to_string().contains("has not ended"), "{error}");
    }

    #[test]
    fn a_change_in_the_folder_makes_it_look_again() {
        let folder = std::env::temp_dir();
        let file = folder.join(format!("xtask-wait-{}", std::process::id()));
        let mut looks = 0;
        let found = until(&folder, Duration::from_secs(10), "the file", || {
            looks += 1;
            if looks == 1 {
                std::fs::write(&file, "")?;
                return Ok(None);
            }
            Ok(file.exists().then_some(()))
        });
        std::fs::remove_file(&file).unwrap();
        found.unwrap();
        assert!(looks > 1);
    }
}
