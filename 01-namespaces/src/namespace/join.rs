//! Joining namespaces that exist: those of a process, by its pidfd, or those
//! that a file holds. Namespaces that the caller is in already are left out:
//! the kernel refuses to enter one's own user namespace once more.

use super::{Namespace, Namespaces, setns};
use crate::error::{InCall, Result, SyscallError};
use crate::process::wait_for_end;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{FileStat, Mode, fstat, stat};
use nix::unistd::{Pid, geteuid};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// Names one namespace on this machine: two processes with equal ids are in the
/// same one.
///
/// Source: namespaces(7), "The /proc/pid/ns/ directory"
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceId {
    device: u64,
    /// The number that `readlink /proc/PID/ns/net` shows in brackets.
    pub inode: u64,
}

impl From<FileStat> for NamespaceId {
    fn from(stat: FileStat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }
}

impl NamespaceId {
    /// Reads which namespace a process is in; `process` is the name of its
    /// directory in /proc, a pid or `self`.
    ///
    /// # Errors
    /// ENOENT: no such process, or it has ended, or the kernel lacks that
    /// namespace. EACCES: not allowed to ptrace the process.
    ///
    /// Source: namespaces(7)
    pub fn of(process: &str, namespace: Namespace) -> Result<Self> {
        let path = format!("/proc/{process}/ns/{}", namespace.file());
        let stat = stat(path.as_str()).in_call(|| format!("stat({path:?})"));
        Ok(stat.map_err(|error| error.hint_at_proc(process))?.into())
    }
}

/// Lists in which namespaces a process is not where we are.
///
/// # Errors
/// As [`NamespaceId::of`].
///
/// Source: namespaces(7), "The /proc/pid/ns/ directory"
pub fn different(pid: Pid) -> Result<Namespaces> {
    let mut set = Namespaces::NONE;
    for namespace in Namespace::all() {
        let theirs = NamespaceId::of(&pid.to_string(), namespace);
        let theirs = theirs.map_err(explain)?;
        if theirs != NamespaceId::of("self", namespace)? {
            set.insert(namespace);
        }
    }
    Ok(set)
}

/// Moves the caller into these namespaces of a process, all of them or none.
/// Afterwards `/` and the working directory are the top of the mount namespace,
/// and a joined pid namespace takes in the caller's *children*.
///
/// # Errors
/// EPERM: no CAP_SYS_ADMIN over one of them. ESRCH: the process has ended.
/// EINVAL: a user namespace that we are in already, or it has threads.
///
/// Source: setns(2), "Linux 5.8 (2020-08)" for a pidfd
// ANCHOR: join_process
pub fn join_process(
    pidfd: BorrowedFd<'_>,
    namespaces: Namespaces,
) -> Result<()> {
    if namespaces.is_empty() {
        return Ok(());
    }
    // One call: the kernel itself knows the order, and that the right to enter
    // the others comes with the user namespace.
    nix::sched::setns(pidfd, namespaces.flags())
        .in_call(|| format!("setns(pidfd, {namespaces})"))
        .map_err(explain)
}
// ANCHOR_END: join_process

/// Tells whether the process of the handle has ended: what was read by its pid
/// meanwhile may be another's.
///
/// # Errors
/// EINTR: a signal handler ran.
///
/// Source: pidfd_open(2)
pub fn has_ended(pidfd: BorrowedFd<'_>) -> Result<bool> {
    wait_for_end(pidfd, Duration::ZERO)
}

/// A namespace held by an open file.
///
/// Source: namespaces(7), "The /proc/pid/ns/ directory"
#[derive(Debug)]
pub struct NamespaceFile {
    /// Its kind.
    pub namespace: Namespace,
    fd: OwnedFd,
}

impl NamespaceFile {
    /// Opens the file of a namespace in a directory whose files are named as in
    /// `/proc/PID/ns`.
    ///
    /// # Errors
    /// ENOENT: that namespace is not there.
    ///
    /// Source: namespaces(7)
    pub fn open(dir: &Path, namespace: Namespace) -> Result<Self> {
        let path = dir.join(namespace.file());
        // What else may lie there under that name, a FIFO, would have us wait.
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let fd = open(&path, flags, Mode::empty())
            .in_call(|| format!("open({path:?})"))?;
        Ok(Self { namespace, fd })
    }

    /// Tells whether it is the one that we are in.
    ///
    /// # Errors
    /// ENOENT: /proc is not mounted.
    ///
    /// Source: namespaces(7), "The /proc/pid/ns/ directory"
    pub fn is_ours(&self) -> Result<bool> {
        let stat = fstat(&self.fd).in_call(|| "fstat(namespace)".into())?;
        let id = NamespaceId::from(stat);
        Ok(id == NamespaceId::of("self", self.namespace)?)
    }
}

impl AsFd for NamespaceFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Moves the caller into the namespaces of these files, one after the other.
///
/// # Errors
/// EINVAL: a file is not the namespace that its name says. EPERM: no
/// CAP_SYS_ADMIN over one of them; those before it are joined then.
///
/// Source: setns(2)
pub fn join_files(mut files: Vec<NamespaceFile>) -> Result<()> {
    // The user namespace gives an ordinary user the right to the others, and
    // takes from root the right to those that it does not own.
    let root = geteuid().is_root();
    files.sort_by_key(|f| (f.namespace == Namespace::User) == root);
    for file in &files {
        setns(file.fd.as_fd(), file.namespace).map_err(explain)?;
    }
    Ok(())
}

fn explain(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EACCES | Errno::EPERM => error.hint(
            "only root, or the owner of its user namespace, may enter it",
        ),
        Errno::ESRCH => error.hint("it has ended"),
        Errno::ENOENT => error.hint("it has ended, or /proc is not mounted"),
        Errno::EINVAL => error.hint("the file is no namespace of that kind"),
        _ => error,
    }
}
