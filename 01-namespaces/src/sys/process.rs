//! Processes: born by clone3(2), held and waited for by pidfd, ended, and given
//! the default signals before they become a program. The libraries fork without
//! a pidfd, and their wrappers of signals leave out numbers that we must reset.
#![allow(unsafe_code)]

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::Pid;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Says in which of the two processes [`clone3`] has returned.
///
/// Source: clone3(2), "RETURN VALUE"
#[derive(Debug)]
pub enum Cloned {
    /// We are the caller; the child has this pid and this pidfd.
    Parent(Pid, OwnedFd),
    /// We are the child.
    Child,
}

/// The argument of clone3(2), its first version with `cgroup`: 88 bytes, zero
/// means "not used".
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Copies the calling process as fork(2) does, into the namespaces of `flags`
/// and, with `cgroup`, straight into that cgroup.
///
/// # Errors
/// EDEADLK: our own refusal, the process has more than one thread. EPERM: not
/// the right to one of the namespaces. ENOSPC: as many namespaces as there may
/// be. EAGAIN: as many processes. EBUSY: the cgroup hands controllers down.
///
/// Source: clone3(2), "Linux 5.3 (2019-09)"; `CLONE_INTO_CGROUP`, "Linux 5.7
/// (2020-05)"
// ANCHOR: clone3
pub fn clone3(
    flags: u64,
    cgroup: Option<BorrowedFd<'_>>,
) -> nix::Result<Cloned> {
    refuse_threads()?;
    let mut pidfd: RawFd = -1;
    let mut args = CloneArgs {
        flags: flags | libc::CLONE_PIDFD as u64,
        pidfd: &raw mut pidfd as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArgs::default()
    };
    if let Some(cgroup) = cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: `args` and `pidfd` live until the call returns, and the size
    // given is that of `args`. Without CLONE_VM and with no stack given, the
    // child runs on a copy of this stack: it is a fork. We are the only thread
    // (checked above), so no lock is held by a thread that the child does not
    // have, and any code may run in the child.
    let pid = unsafe {
        libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<CloneArgs>())
    };
    // ANCHOR_END: clone3
    match Errno::result(pid)? {
        0 => Ok(Cloned::Child),
        // SAFETY: the call succeeded with CLONE_PIDFD, so `pidfd` is a new
        // descriptor that nothing else owns.
        pid => Ok(Cloned::Parent(Pid::from_raw(pid as i32), unsafe {
            OwnedFd::from_raw_fd(pidfd)
        })),
    }
}

/// In `libc` it is an `i32`, which is too narrow for it.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Asks the kernel: for a single thread this flag does nothing. Not /proc, which
/// need not be there in a mount namespace that we have joined.
///
/// Source: unshare(2), "EINVAL"
fn refuse_threads() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_THREAD).map_err(|_| Errno::EDEADLK)
}

/// Ends the process at once: no destructors and no buffers, because in a child
/// of [`clone3`] they are copies of the parent's.
///
/// Source: _exit(2)
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit has no duties; it does not return.
    unsafe { libc::_exit(code) }
}

/// Opens a handle on a process.
///
/// # Errors
/// ESRCH: no such process. EMFILE: no descriptor left.
///
/// Source: pidfd_open(2), "Linux 5.3 (2019-09)"
pub fn pidfd_open(pid: Pid) -> nix::Result<OwnedFd> {
    // SAFETY: two integers, no memory.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    // SAFETY: the call succeeded, so this is a new descriptor (close-on-exec by
    // itself) that nothing else owns.
    Errno::result(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Sends a signal, by number, to exactly the process of the handle.
///
/// # Errors
/// ESRCH: it has ended and was reaped. EPERM: another user's. EINVAL: no such
/// signal, or a process outside of our pid namespace.
///
/// Source: pidfd_send_signal(2), "Linux 5.1 (2019-05)"
pub fn pidfd_send_signal(
    pidfd: BorrowedFd<'_>,
    signal: i32,
) -> nix::Result<()> {
    let (call, fd) = (libc::SYS_pidfd_send_signal, pidfd.as_raw_fd());
    let info = std::ptr::null::<libc::siginfo_t>();
    // SAFETY: a null siginfo asks the kernel to fill it in as kill(2) does; it
    // reads no memory of ours.
    let done = unsafe { libc::syscall(call, fd, signal, info, 0) };
    Errno::result(done).map(drop)
}

/// How a child ended: `CLD_EXITED` with the exit status, or another `CLD_` with
/// the signal.
///
/// Source: waitid(2), "DESCRIPTION"
#[derive(Debug, Clone, Copy)]
pub struct Waited {
    /// Which child.
    pub pid: Pid,
    /// One of the `CLD_` constants.
    pub code: i32,
    /// Exit status or signal.
    pub status: i32,
}

/// Waits until the child of the handle (or, with `None`, any child) has ended,
/// and reaps it. With `WNOHANG` in `options`, gives `None` if none has ended.
///
/// # Errors
/// ECHILD: not our child, reaped before, or (with `None`) no children. EINTR: a
/// signal handler ran.
///
/// Source: waitid(2); `P_PIDFD`, "Linux 5.4 (2019-11)"
pub fn waitid(
    pidfd: Option<BorrowedFd<'_>>,
    options: i32,
) -> nix::Result<Option<Waited>> {
    // SAFETY: siginfo_t is plain integers and a union of them; all zero is a
    // valid value (and means "no child").
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let (kind, id) = match pidfd {
        Some(pidfd) => (libc::P_PIDFD, pidfd.as_raw_fd() as libc::id_t),
        None => (libc::P_ALL, 0),
    };
    let options = options | libc::WEXITED;
    // SAFETY: `info` is a writable siginfo_t that outlives the call.
    let done = unsafe { libc::waitid(kind, id, &raw mut info, options) };
    Errno::result(done)?;
    // SAFETY: waitid has filled the SIGCHLD member of the union in, or left the
    // zeroes: integers in both cases.
    let pid = Pid::from_raw(unsafe { info.si_pid() });
    // SAFETY: as above.
    let status = unsafe { info.si_status() };
    let waited = Waited { pid, code: info.si_code, status };
    Ok((pid.as_raw() != 0).then_some(waited))
}

/// Gives every signal its default action and unblocks all: both are inherited
/// through execve(2), and Rust's runtime ignores SIGPIPE.
///
/// # Errors
/// EINVAL: cannot happen, the numbers are the kernel's own.
///
/// Source: signal(7), execve(2)
pub fn reset_signals() -> nix::Result<()> {
    // The kernel's struct sigaction, at most this long; all zero is SIG_DFL.
    let default = [0_u64; 4];
    let (action, old) = (default.as_ptr(), std::ptr::null_mut::<u64>());
    for signal in 1..=64 {
        let call = libc::SYS_rt_sigaction;
        // SAFETY: `default` outlives the call and is longer than what is read;
        // SIG_DFL runs no code of ours. libc::signal would refuse 32 and 33,
        // which it keeps for itself; SIGKILL and SIGSTOP are refused here.
        unsafe { libc::syscall(call, signal, action, old, size_of::<u64>()) };
    }
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
}
