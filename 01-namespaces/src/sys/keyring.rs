//! Keys that the kernel keeps for processes: keyctl(2), which neither library
//! wraps.
#![allow(unsafe_code)]

use nix::errno::Errno;
use std::ffi::CStr;

/// Makes the caller's session keyring the one of that name, which is made if it
/// is not there.
///
/// # Errors
/// EDQUOT: the user has as many keys as allowed. EACCES: there is one of that
/// name, and no right to search it. ENOSYS: a kernel without keys.
///
/// Makes a session keyring of this name ours, a new one if there is none, and
/// gives its serial number.
///
/// # Errors
/// EDQUOT: the user has too many keys. EACCES: the one that is there is not
/// ours.
///
/// Source: keyctl(2), `KEYCTL_JOIN_SESSION_KEYRING`
pub fn keyctl_join_session_keyring(name: &CStr) -> nix::Result<i32> {
    const KEYCTL_JOIN_SESSION_KEYRING: i32 = 1;
    let call = libc::SYS_keyctl;
    // SAFETY: the kernel reads a C string that outlives the call.
    let serial = unsafe {
        libc::syscall(call, KEYCTL_JOIN_SESSION_KEYRING, name.as_ptr())
    };
    Errno::result(serial).map(|serial| serial as i32)
}

/// Sets who may do what with a key.
///
/// # Errors
/// EACCES: it is another user's. ENOKEY: no such key.
///
/// Says who may do what with a key, by the bits of `KEY_POS_VIEW` and others.
///
/// # Errors
/// EACCES: not our key, or no right to change it.
///
/// Source: keyctl(2), `KEYCTL_SETPERM`
pub fn keyctl_setperm(key: i32, permissions: u32) -> nix::Result<()> {
    const KEYCTL_SETPERM: i32 = 5;
    let call = libc::SYS_keyctl;
    // SAFETY: three integers, no memory.
    let done = unsafe { libc::syscall(call, KEYCTL_SETPERM, key, permissions) };
    Errno::result(done).map(drop)
}
