//! The file systems that every Linux program expects to find, as a table.

use super::Mount;
use crate::namespace::{Namespace, Namespaces};
use nix::mount::MsFlags;
use std::path::Path;

/// One file system that every Linux program expects to find.
///
/// Source: runtime-spec: config-linux.md, "Default Filesystems"
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

impl DefaultMount {
    /// Describes the mount for a container with these new namespaces: anew, or,
    /// where its user namespace could not do that, bound from the host.
    pub fn mount(&self, namespaces: Namespaces) -> Mount {
        if self.is_from_host(namespaces) {
            return Mount::bind(self.target, self.target)
                .with_flags(self.flags);
        }
        let data = (!self.data.is_empty()).then(|| self.data.to_string());
        let mount = Mount::new(self.fstype, self.target);
        Mount { data, ..mount.with_flags(self.flags) }
    }

    fn is_from_host(&self, namespaces: Namespaces) -> bool {
        namespaces.contains(Namespace::User) && !namespaces.contains(self.owner)
    }
}

/// Plans the default file systems for a container with these new namespaces.
/// What would have to come from the host, and is not there, is left out.
pub fn default_mounts(namespaces: Namespaces) -> Vec<Mount> {
    let is_there = |row: &&DefaultMount| {
        !row.is_from_host(namespaces) || Path::new(row.target).exists()
    };
    let rows = DEFAULT_MOUNTS.iter().filter(is_there);
    rows.map(|row| row.mount(namespaces)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(namespaces: &[Namespace]) -> Vec<String> {
        let mounts = default_mounts(namespaces.iter().copied().collect());
        mounts.iter().map(|m| m.source.display().to_string()).collect()
    }

    #[test]
    fn without_a_user_namespace_all_is_mounted_anew() {
        let all = ["proc", "tmpfs", "devpts", "tmpfs", "mqueue", "sysfs"];
        assert_eq!(sources(&[Namespace::Mount]), all);
    }

    #[test]
    fn a_user_namespace_gets_from_the_host_what_it_does_not_own() {
        let sources = sources(&[Namespace::User, Namespace::Mount]);
        assert!(sources.contains(&"/proc".into()), "{sources:?}");
        assert!(sources.contains(&"/sys".into()), "{sources:?}");
        assert!(sources.contains(&"devpts".into()), "{sources:?}");
    }
}
