//! The only file of the workspace with `unsafe`: system calls that no library
//! gives us a safe function for. Each bears its man page's name or, for a call
//! with many uses, that of the use (`receive_fd`: recvmsg(2)). `process`,
//! `mounts` and `cgroup` give them meaning, and say which errors to expect.
//! SAFETY says why the man page's duties hold here.
#![allow(unsafe_code)]

use nix::cmsg_space;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::Pid;
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Says in which of the two processes [`clone3`] has returned.
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
/// and, with `cgroup`, straight into that cgroup. EDEADLK is our own refusal:
/// the process has more than one thread.
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

/// Copies a descriptor that this process was started with and knows by number
/// only. The copy is close-on-exec and above stderr.
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
/// Source: close_range(2); `CLOSE_RANGE_CLOEXEC`, "Linux 5.11 (2021-02)"
pub fn close_range_cloexec(first: u32) -> nix::Result<()> {
    let flags = libc::CLOSE_RANGE_CLOEXEC as i32;
    // SAFETY: three integers. No descriptor is closed now, so no OwnedFd of
    // this process loses what it owns.
    let done = unsafe { libc::close_range(first, u32::MAX, flags) };
    Errno::result(done).map(drop)
}

/// Gives every signal its default action and unblocks all: both are inherited
/// through execve(2), and Rust's runtime ignores SIGPIPE.
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

/// Receives one descriptor, close-on-exec from its first moment, and the
/// message (up to 4096 bytes) that came with it.
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

/// Changes a mount, or with `AT_RECURSIVE` it and all below it: `MOUNT_ATTR_` to
/// set, those to clear, `MS_` of the propagation; ids as `userns` maps them.
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

/// The argument of bpf(2) for `BPF_PROG_LOAD`; the rest is for logs, not used.
#[repr(C)]
struct BpfProgLoad {
    kind_and_length: [u32; 2],
    program: u64,
    license_and_rest: [u64; 4],
}

/// Source: bpf(2), `BPF_PROG_LOAD`
pub fn bpf_prog_load(kind: u32, program: &[u64]) -> nix::Result<OwnedFd> {
    const BPF_PROG_LOAD: i32 = 5;
    let attr = BpfProgLoad {
        kind_and_length: [kind, program.len() as u32],
        program: program.as_ptr() as u64,
        license_and_rest: [c"".as_ptr() as u64, 0, 0, 0],
    };
    let (call, size) = (libc::SYS_bpf, size_of_val(&attr));
    // SAFETY: the kernel reads `size` bytes, that many instructions of 8 bytes
    // and the license, which all outlive the call.
    let fd = unsafe { libc::syscall(call, BPF_PROG_LOAD, &attr, size) };
    // SAFETY: on success a new descriptor (close-on-exec) that nobody owns.
    Errno::result(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Source: bpf(2), `BPF_PROG_ATTACH`
pub fn bpf_prog_attach(
    cgroup: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    hook: u32,
) -> nix::Result<()> {
    const BPF_PROG_ATTACH: i32 = 8;
    const BPF_F_ALLOW_MULTI: u32 = 2;
    let (target, program) = (cgroup.as_raw_fd(), program.as_raw_fd());
    let attr = [target as u32, program as u32, hook, BPF_F_ALLOW_MULTI];
    let (call, size) = (libc::SYS_bpf, size_of_val(&attr));
    // SAFETY: the kernel reads four integers, which outlive the call.
    let done = unsafe { libc::syscall(call, BPF_PROG_ATTACH, &attr, size) };
    Errno::result(done).map(drop)
}
