//! The file systems that every Linux program expects to find, as a table.

use super::Mount;
use crate::namespace::{Namespace, Namespaces};
use nix::mount::MsFlags;

/// One file system that every Linux program expects to find.
#[derive(Debug)]
pub struct DefaultMount {
    /// Type of the file system, and its source.
    pub fstype: &'static str,
    /// Where.
    pub target: &'static str,
    /// Flags.
    pub flags: MsFlags,
    /// Data for the file system; empty if none.
    pub data: &'static str,
    /// Whose contents it shows: in a user namespace it can be mounted only if
    /// that namespace is new, too.
    pub owner: Namespace,
}

const NO_SUID: MsFlags = MsFlags::MS_NOSUID;
const NO_EXEC: MsFlags = NO_SUID.union(MsFlags::MS_NOEXEC);
const NO_DEV: MsFlags = NO_EXEC.union(MsFlags::MS_NODEV);
const DEV: MsFlags = NO_SUID.union(MsFlags::MS_STRICTATIME);
const SYS: MsFlags = NO_DEV.union(MsFlags::MS_RDONLY);

const PTS_DATA: &str = "newinstance,ptmxmode=0666,mode=0620";
const DEV_DATA: &str = "mode=755,size=65536k";
const SHM_DATA: &str = "mode=1777,size=65536k";

/// The file systems of a container, in the order in which they have to be
/// mounted: /dev before what is in it.
///
/// Source: runtime-spec: config-linux.md, "Default Filesystems"; flags and
/// data as in the spec that runc generates
#[rustfmt::skip]
pub const DEFAULT_MOUNTS: [DefaultMount; 6] = [
    row("proc",   "/proc",       (NO_DEV, ""),        Namespace::Pid),
    row("tmpfs",  "/dev",        (DEV, DEV_DATA),     Namespace::Mount),
    row("devpts", "/dev/pts",    (NO_EXEC, PTS_DATA), Namespace::Mount),
    row("tmpfs",  "/dev/shm",    (NO_DEV, SHM_DATA),  Namespace::Mount),
    row("mqueue", "/dev/mqueue", (NO_DEV, ""),        Namespace::Ipc),
    row("sysfs",  "/sys",        (SYS, ""),           Namespace::Net),
];

const fn row(
    fstype: &'static str,
    target: &'static str,
    (flags, data): (MsFlags, &'static str),
    owner: Namespace,
) -> DefaultMount {
    DefaultMount { fstype, target, flags, data, owner }
}

/// Plans the default file systems for a container with these new namespaces.
/// What its user namespace could not mount anew, it gets from the host instead,
/// by a bind mount.
pub fn default_mounts(namespaces: Namespaces) -> Vec<Mount> {
    let own = |row: &DefaultMount| {
        !namespaces.contains(Namespace::User) || namespaces.contains(row.owner)
    };
    DEFAULT_MOUNTS
        .iter()
        .map(|row| if own(row) { row.mount() } else { row.bind_of_host() })
        .collect()
}

impl DefaultMount {
    fn mount(&self) -> Mount {
        let data = (!self.data.is_empty()).then(|| self.data.to_string());
        Mount {
            data,
            ..Mount::new(self.fstype, self.target).with_flags(self.flags)
        }
    }

    fn bind_of_host(&self) -> Mount {
        Mount::bind(self.target, self.target).with_flags(self.flags)
    }
}
