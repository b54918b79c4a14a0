//! Who writes a map: what the kernel allows depends on it.

use nix::unistd::{getegid, geteuid};
use std::os::unix::fs::MetadataExt;

/// Says who the process is that writes maps for its child.
///
/// Source: user_namespaces(7), "Defining user and group ID mappings"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Its effective user id.
    pub uid: u32,
    /// Its effective group id.
    pub gid: u32,
}

impl Caller {
    /// Gives this process.
    pub fn current() -> Self {
        Self { uid: geteuid().as_raw(), gid: getegid().as_raw() }
    }

    /// Tells whether it may map any ids: root of the namespace that it is in.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }
}

/// Tells whether this process is in the user namespace that the machine started
/// with: only there is root the machine's root.
///
/// The number of that namespace is part of the kernel's interface.
///
/// Source: Linux, include/uapi/linux/nsfs.h, `USER_NS_INIT_INO`; since
/// "Linux 3.8 (2013-02)"
pub fn in_first_user_namespace() -> bool {
    const USER_NS_INIT_INO: u64 = 0xEFFF_FFFD;
    std::fs::metadata("/proc/self/ns/user")
        .is_ok_and(|user| user.ino() == USER_NS_INIT_INO)
}
