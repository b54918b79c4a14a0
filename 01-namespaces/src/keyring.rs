//! The session keyring: keys that the kernel keeps for a login, such as
//! Kerberos tickets or those of encrypted disks. Processes inherit it, and no
//! namespace divides it: a container that keeps its caller's can ask for what is
//! in there.

use crate::error::{InCall, Result, SyscallError};
use crate::sys;
use nix::errno::Errno;
use std::ffi::CStr;

/// What possessors may do, and the owner: view, read, search, link.
const PERMISSIONS: u32 = 0x3f1b_0000;

/// Leaves the caller's session keyring for one of this name: the one that is
/// there, if it lets its owner search it, as those made here do; else a new and
/// empty one. A kernel that has no keys has none to hide, so that is fine too.
///
/// # Errors
/// EDQUOT: the user has too many keys (the limits are in /proc/sys/kernel/keys).
/// EACCES: the one that is there is not ours.
///
/// Source: session-keyring(7), keyctl(2)
pub fn join_session_keyring(name: &CStr) -> Result<()> {
    match sys::keyctl_join_session_keyring(name) {
        // ENOSYS: built without. 0: it is ours already.
        Err(Errno::ENOSYS) | Ok(0) => Ok(()),
        result => {
            let call = || format!("keyctl(JOIN_SESSION_KEYRING, {name:?})");
            let serial = result.in_call(call).map_err(explain)?;
            // A new one can be searched by those only who possess it, not by
            // the next process that asks for it by name.
            sys::keyctl_setperm(serial, PERMISSIONS)
                .in_call(|| format!("keyctl(SETPERM, .., {PERMISSIONS:#x})"))
        }
    }
}

fn explain(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EDQUOT => error.hint(
            "the user has too many keys: see /proc/key-users, and \
             maxkeys in /proc/sys/kernel/keys",
        ),
        _ => error,
    }
}
