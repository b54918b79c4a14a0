//! Mount propagation: whether what is mounted in one place appears in its
//! copies too. A new mount namespace is a copy of every mount, and a copy of a
//! shared mount stays its peer: without a word about propagation, what is
//! mounted inside appears on the host.

use super::names_of;
use crate::error::{InCall, Result};
use nix::mount::{MsFlags, mount};
use std::path::Path;

/// The four ways in which a mount can share what happens below it.
///
/// Source: mount_namespaces(7), "SHARED SUBTREES", "Linux 2.6.15 (2006-01)"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// Nothing comes, nothing goes.
    Private,
    /// What its masters mount comes; nothing goes.
    Slave,
    /// It and its copies show the same.
    Shared,
    /// As private, and it cannot be bound.
    Unbindable,
}

impl Propagation {
    /// Gives the kernel's flag.
    pub fn flag(self) -> MsFlags {
        match self {
            Self::Private => MsFlags::MS_PRIVATE,
            Self::Slave => MsFlags::MS_SLAVE,
            Self::Shared => MsFlags::MS_SHARED,
            Self::Unbindable => MsFlags::MS_UNBINDABLE,
        }
    }

    /// Gives the flag's name.
    pub fn name(self) -> String {
        names_of(self.flag())
    }

    /// Sets it on every mount of this mount namespace.
    ///
    /// # Errors
    /// EPERM: not in a mount namespace of our own.
    ///
    /// Source: mount_namespaces(7)
    pub fn set_on_all(self) -> Result<()> {
        set_propagation(Path::new("/"), self.flag() | MsFlags::MS_REC)
    }
}

/// All flags that mean propagation.
pub const PROPAGATION: MsFlags = MsFlags::MS_SHARED
    .union(MsFlags::MS_PRIVATE)
    .union(MsFlags::MS_SLAVE)
    .union(MsFlags::MS_UNBINDABLE);

/// Changes the propagation of a mount (with `MS_REC`, of all below it too).
///
/// # Errors
/// EINVAL: not a mount point. EPERM: not ours to change.
///
/// Source: mount_namespaces(7)
pub fn set_propagation(target: &Path, flags: MsFlags) -> Result<()> {
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>).in_call(
        || format!("mount(NULL, {target:?}, NULL, {}, NULL)", names_of(flags)),
    )
}
