//! What can be changed of a mount that exists. mount(2) remounts one mount at a
//! time and replaces all its flags; mount_setattr(2) sets and clears single
//! ones, of a whole tree if asked to: the host's /sys, bound read-only with a
//! remount, still has writable cgroups below it (CVE-2023-25809).

use super::propagation::Propagation;
use crate::error::{InCall, Result};
use crate::sys;
use std::fmt;
use std::os::fd::BorrowedFd;

pub use rustix::mount::MountAttrFlags;

/// Says how far a call reaches.
///
/// Source: mount_setattr(2), `AT_RECURSIVE`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One mount.
    This,
    /// It and all mounts below it.
    AllBelow,
}

/// Describes one call of mount_setattr(2).
///
/// The ways of noting access times exclude each other: to set one of them,
/// `clear` has to have `MOUNT_ATTR__ATIME`.
///
/// Source: mount_setattr(2), "Linux 5.12 (2021-04)"
#[derive(Debug, Clone, Copy)]
pub struct Attributes<'a> {
    /// What holds afterwards: read-only, no set-user-ID, no devices, ..
    pub set: MountAttrFlags,
    /// What no longer holds.
    pub clear: MountAttrFlags,
    /// How it shares what is mounted below it; `None` leaves that as it is.
    pub propagation: Option<Propagation>,
    /// The user namespace that says as whose the files appear.
    pub idmap: Option<BorrowedFd<'a>>,
}

impl Attributes<'_> {
    /// Changes the mount of the handle. All or, if one of the mounts cannot be
    /// changed, nothing.
    ///
    /// # Errors
    /// EINVAL: not the root of a mount, or a file system without id maps.
    /// EPERM: not ours to change. ENOSYS: an older kernel.
    ///
    /// Source: mount_setattr(2)
    pub fn apply(&self, mount: BorrowedFd<'_>, reach: Reach) -> Result<()> {
        let idmap = match self.idmap {
            Some(_) => MountAttrFlags::MOUNT_ATTR_IDMAP,
            None => MountAttrFlags::empty(),
        };
        let flag = self.propagation.map_or(0, |how| how.flag().bits());
        let set = (self.set | idmap).bits().into();
        let changes = [set, self.clear.bits().into(), flag];
        sys::mount_setattr(mount, reach.flag(), changes, self.idmap)
            .in_call(|| self.call(reach))
    }

    /// Prints the call as strace(1) does.
    pub fn call(&self, reach: Reach) -> String {
        let recursive = match reach {
            Reach::This => "",
            Reach::AllBelow => "|AT_RECURSIVE",
        };
        format!("mount_setattr(MNT, \"\", AT_EMPTY_PATH{recursive}, {self})")
    }
}

impl Reach {
    fn flag(self) -> i32 {
        match self {
            Self::This => 0,
            Self::AllBelow => libc::AT_RECURSIVE,
        }
    }
}

impl Attributes<'static> {
    const NONE: Self = Self {
        set: MountAttrFlags::empty(),
        clear: MountAttrFlags::empty(),
        propagation: None,
        idmap: None,
    };

    /// Sets some, and changes nothing else.
    pub const fn set(attributes: MountAttrFlags) -> Self {
        Self { set: attributes, ..Self::NONE }
    }

    /// Clears some, and changes nothing else.
    pub const fn clear(attributes: MountAttrFlags) -> Self {
        Self { clear: attributes, ..Self::NONE }
    }

    /// Says what is shared, and changes nothing else.
    pub const fn propagation(how: Propagation) -> Self {
        Self { propagation: Some(how), ..Self::NONE }
    }
}

impl<'a> Attributes<'a> {
    /// Maps the ids as a user namespace does, and changes nothing else.
    pub const fn idmap(user: BorrowedFd<'a>) -> Self {
        Self { idmap: Some(user), ..Attributes::NONE }
    }
}

impl fmt::Display for Attributes<'_> {
    /// Prints struct mount_attr without the members that are zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set: Vec<_> = self.set.iter_names().map(|(n, _)| n).collect();
        set.extend(self.idmap.map(|_| "MOUNT_ATTR_IDMAP"));
        let clear: Vec<_> = self.clear.iter_names().map(|(n, _)| n).collect();
        let flag = self.propagation.map(Propagation::name);
        let members = [
            (!set.is_empty()).then(|| format!("attr_set={}", set.join("|"))),
            (!clear.is_empty())
                .then(|| format!("attr_clr={}", clear.join("|"))),
            flag.map(|flag| format!("propagation={flag}")),
            self.idmap.map(|_| "userns_fd=USERNS".to_owned()),
        ];
        let members: Vec<_> = members.into_iter().flatten().collect();
        write!(f, "{{{}}}", members.join(", "))
    }
}

/// Makes a mount and all mounts below it read-only.
///
/// # Errors
/// EINVAL: not a mount point. EPERM: not ours to change.
///
/// Source: mount_setattr(2), "Linux 5.12 (2021-04)"
pub fn make_read_only_below(mount: BorrowedFd<'_>) -> Result<()> {
    let read_only = Attributes::set(MountAttrFlags::MOUNT_ATTR_RDONLY);
    read_only.apply(mount, Reach::AllBelow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_printed_with_what_it_changes_and_nothing_else() {
        let attributes = Attributes {
            set: MountAttrFlags::MOUNT_ATTR_RDONLY
                | MountAttrFlags::MOUNT_ATTR_NOSUID,
            propagation: Some(Propagation::Slave),
            ..Attributes::NONE
        };
        assert_eq!(
            attributes.call(Reach::AllBelow),
            "mount_setattr(MNT, \"\", AT_EMPTY_PATH|AT_RECURSIVE, \
             {attr_set=MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID, \
             propagation=MS_SLAVE})"
        );
    }
}
