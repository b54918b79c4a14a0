//! Who writes a map: what the kernel allows depends on it.

use nix::unistd::{getegid, geteuid};

/// Says who the process is that writes maps for its child.
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
