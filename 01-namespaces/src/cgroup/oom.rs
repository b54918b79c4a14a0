//! News of the OOM killer: a descriptor to wait on, for who wants to know that
//! a memory limit has killed when it happens, and not only at the end.

use super::{Cgroup, Version, files};
use crate::error::{InCall, Result};
use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// Becomes readable when the memory limit of a cgroup was met and something may
/// have been killed; or when the cgroup is removed, on v2 also when one beside
/// it is. Then ask [`OomWatch::kills`].
///
/// Source: cgroup-v1/memory.rst, "OOM Control"; cgroup-v2.rst, "memory.events"
#[derive(Debug)]
pub struct OomWatch {
    source: Source,
    counter: PathBuf,
}

#[derive(Debug)]
enum Source {
    V1(EventFd),
    V2(Inotify),
}

impl Cgroup {
    /// Begins to watch for the OOM killer. On v2, in this cgroup and those below
    /// it. On v1 there is news when its own limit or one above it was met, not
    /// one below it.
    ///
    /// # Errors
    /// ENOENT: no memory controller, or removed. EMFILE: no descriptor left.
    ///
    /// Source: cgroup-v1/memory.rst, "OOM Control"; cgroup-v2.rst,
    /// "memory.events"
    pub fn watch_oom(&self) -> Result<OomWatch> {
        let names = ("memory.oom_control", "memory.events");
        let counter = self.file("memory", self.version.pick(names))?;
        let source = match self.version {
            Version::V1 => Source::V1(eventfd_for(&counter)?),
            Version::V2 => Source::V2(inotify_for(&counter)?),
        };
        Ok(OomWatch { source, counter })
    }
}

impl OomWatch {
    /// Counts the processes killed so far, and makes the descriptor unreadable
    /// until there is more news. v1 gives notice just *before* it kills, so that
    /// the count may lag behind the notice; and it leaves out those that were
    /// killed in cgroups below.
    ///
    /// # Errors
    /// ENOENT, ENODEV: the cgroup has been removed.
    ///
    /// Source: cgroup-v1/memory.rst; cgroup-v2.rst, "Linux 4.13 (2017-09)"
    pub fn kills(&self) -> Result<u64> {
        // Before the count is read: what comes in between is news again.
        let drained = match &self.source {
            Source::V1(eventfd) => eventfd.read().map(drop),
            Source::V2(inotify) => inotify.read_events().map(drop),
        };
        match drained {
            Ok(()) | Err(Errno::EAGAIN) => {}
            Err(errno) => return Err(errno).in_call(|| "read(..)".into()),
        }
        let text = files::read(&self.counter)?;
        let mut lines = text.lines();
        let count = lines.find_map(|line| line.strip_prefix("oom_kill "));
        Ok(count.and_then(|count| count.parse().ok()).unwrap_or(0))
    }
}

impl AsFd for OomWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.source {
            Source::V1(eventfd) => eventfd.as_fd(),
            Source::V2(inotify) => inotify.as_fd(),
        }
    }
}

/// v1: the kernel is told two descriptors by their numbers, and writes to the
/// first when there is news about the second. It keeps the first one itself.
fn eventfd_for(counter: &Path) -> Result<EventFd> {
    let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
    let eventfd = EventFd::from_flags(flags).in_call(|| "eventfd(0)".into())?;
    let file = File::open(counter).in_call(|| format!("open({counter:?})"))?;
    let numbers =
        format!("{} {}", eventfd.as_fd().as_raw_fd(), file.as_raw_fd());
    files::write(&counter.with_file_name("cgroup.event_control"), &numbers)?;
    Ok(eventfd)
}

/// v2: each change of the file counts as a modification. Its end does not: what
/// the kernel tells is that a name has gone from the directory above.
fn inotify_for(counter: &Path) -> Result<Inotify> {
    let flags = InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK;
    let inotify =
        Inotify::init(flags).in_call(|| "inotify_init1(..)".into())?;
    let above = counter.ancestors().nth(2).unwrap_or(counter);
    for (path, event) in
        [(counter, AddWatchFlags::IN_MODIFY), (above, AddWatchFlags::IN_DELETE)]
    {
        inotify
            .add_watch(path, event)
            .in_call(|| format!("inotify_add_watch(.., {path:?}, ..)"))?;
    }
    Ok(inotify)
}
