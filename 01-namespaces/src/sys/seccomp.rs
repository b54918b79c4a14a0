//! System call filters: seccomp(2), which neither library wraps.
#![allow(unsafe_code)]

use nix::errno::Errno;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// The argument of `SECCOMP_SET_MODE_FILTER`, struct sock_fprog.
#[repr(C)]
struct Program {
    length: u16,
    instructions: *const u64,
}

/// Filters the calls of this process from now on; instructions as
/// `struct sock_filter`, 8 bytes each. With `SECCOMP_FILTER_FLAG_NEW_LISTENER`
/// it gives the descriptor (close-on-exec) on which the calls are told.
///
/// # Errors
/// EACCES: neither CAP_SYS_ADMIN nor no_new_privs. EINVAL: a flag that this
/// kernel does not know, not a valid program, or one of more than 4096
/// instructions. ESRCH: with TSYNC, another thread has a filter of its own.
/// EBUSY: a listener, and a filter of this process has one already.
///
/// Source: seccomp(2), "Linux 3.17 (2014-10)"; listeners, "Linux 5.0 (2019-03)"
pub fn seccomp_set_mode_filter(
    flags: u32,
    program: &[u64],
) -> nix::Result<Option<OwnedFd>> {
    let length = u16::try_from(program.len()).map_err(|_| Errno::EINVAL)?;
    let program = Program { length, instructions: program.as_ptr() };
    let (call, operation) = (libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER);
    // SAFETY: the kernel copies `program` and `length` instructions of 8 bytes,
    // which outlive the call.
    let done =
        unsafe { libc::syscall(call, operation, flags, &raw const program) };
    let listens = flags & libc::SECCOMP_FILTER_FLAG_NEW_LISTENER as u32 != 0;
    match Errno::result(done)? {
        // SAFETY: with this flag, success is a new descriptor that nothing else
        // owns.
        fd if listens => Ok(Some(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })),
        0 => Ok(None),
        // TSYNC: the id of a thread that has a filter of its own.
        _ => Err(Errno::ESRCH),
    }
}
