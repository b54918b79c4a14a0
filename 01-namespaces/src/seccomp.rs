//! Which system calls a process may make: a program of classic BPF that the
//! kernel runs before each of them. It is inherited and can only be tightened.

use crate::error::{InCall, Result, SyscallError};
use crate::sys;
use nix::errno::Errno;
use std::os::fd::OwnedFd;

/// Filters the calls of this process and of all that come from it, for ever.
/// One instruction is a `struct sock_filter` in 8 bytes. If the flags ask for a
/// listener, it is what comes back: calls that the program answers with
/// `SECCOMP_RET_USER_NOTIF` wait until somebody who holds it has decided.
///
/// # Errors
/// EACCES: neither CAP_SYS_ADMIN in the user namespace nor no_new_privs. EINVAL:
/// a flag that this kernel does not know, or not a valid program. EBUSY: a
/// filter of this process has a listener already.
///
/// Source: seccomp(2), "Linux 3.17 (2014-10)"; seccomp_unotify(2)
pub fn set_filter(flags: u32, program: &[u64]) -> Result<Option<OwnedFd>> {
    sys::seccomp_set_mode_filter(flags, program)
        .in_call(|| format!("seccomp(SECCOMP_SET_MODE_FILTER, {flags:#x}, ..)"))
        .map_err(explain)
}

fn explain(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EACCES => error.hint(
            "without CAP_SYS_ADMIN a filter needs process.noNewPrivileges",
        ),
        _ => error,
    }
}
