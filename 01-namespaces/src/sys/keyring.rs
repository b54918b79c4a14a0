//! Keys that the kernel keeps for processes: keyctl(2), which neither library
//! wraps.
#![allow(unsafe_code)]

use nix::errno::Errno;
use std::ffi::CStr;

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

/// Source: keyctl(2), `KEYCTL_SETPERM`
pub fn keyctl_setperm(key: i32, permissions: u32) -> nix::Result<()> {
    const KEYCTL_SETPERM: i32 = 5;
    let call = libc::SYS_keyctl;
    // SAFETY: three integers, no memory.
    let done = unsafe { libc::syscall(call, KEYCTL_SETPERM, key, permissions) };
    Errno::result(done).map(drop)
}
