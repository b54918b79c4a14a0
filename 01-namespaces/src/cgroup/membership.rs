//! In which cgroup a process is: one line a hierarchy, and the directory that
//! belongs to it on our mounts. Read-only, and for any process.

use super::{Dir, Version};
use crate::error::Result;
use crate::kernel_file;
use crate::mountinfo::MountInfo;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The place of a process in one hierarchy.
///
/// Source: cgroups(7), "/proc/pid/cgroup"
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The v1 controllers of the hierarchy, or its `name=systemd`; empty on v2.
    pub controllers: Vec<String>,
    /// The cgroup, counted from the root of *our* cgroup namespace.
    pub path: PathBuf,
    /// Its directory; `None` if the hierarchy is not mounted for us.
    pub dir: Option<PathBuf>,
}

impl Membership {
    /// Lists the cgroups of a process; `process` is a pid or `self`.
    ///
    /// # Errors
    /// ENOENT: no such process.
    ///
    /// Source: cgroups(7)
    pub fn of(process: &str) -> Result<Vec<Self>> {
        let path = format!("/proc/{process}/cgroup");
        let bytes = kernel_file::read(path.as_ref())?;
        Ok(Self::parse(&bytes, &MountInfo::of("self")?))
    }

    /// Understands `/proc/PID/cgroup`, where these are the mounts.
    pub(super) fn parse(bytes: &[u8], mounts: &[MountInfo]) -> Vec<Self> {
        let lines = bytes.split(|byte| *byte == b'\n');
        lines.filter_map(|line| Self::line(line, mounts)).collect()
    }

    /// `ID:CONTROLLERS:PATH`
    fn line(line: &[u8], mounts: &[MountInfo]) -> Option<Self> {
        let mut fields = line.splitn(3, |byte| *byte == b':').skip(1);
        let controllers = str::from_utf8(fields.next()?).ok()?;
        let names = controllers.split(',').filter(|name| !name.is_empty());
        let controllers: Vec<String> = names.map(Into::into).collect();
        let path = PathBuf::from(OsStr::from_bytes(fields.next()?));
        let mut mounts =
            mounts.iter().filter(|mount| is_of(mount, &controllers));
        let dir = mounts.find_map(|mount| dir(mount, &path));
        Some(Self { controllers, path, dir })
    }
}

/// Lists the directories of these cgroups that have a controller, or are the
/// one of v2.
pub(super) fn dirs(memberships: Vec<Membership>, version: Version) -> Vec<Dir> {
    let mut dirs = Vec::new();
    for Membership { controllers, dir, .. } in memberships {
        let Some(path) = dir else { continue };
        let names = match version {
            Version::V1 => controllers,
            Version::V2 if controllers.is_empty() => vec![String::new()],
            Version::V2 => continue,
        };
        let dir = |controller| Dir { controller, path: path.clone() };
        dirs.extend(names.into_iter().map(dir));
    }
    dirs
}

/// Tells whether a mount is the hierarchy of these controllers.
fn is_of(mount: &MountInfo, controllers: &[String]) -> bool {
    let options: Vec<_> = mount.super_options.split(',').collect();
    match controllers {
        [] => mount.fstype == "cgroup2",
        some => {
            mount.fstype == "cgroup"
                && some.iter().all(|name| options.contains(&name.as_str()))
        }
    }
}

/// Finds the directory of a cgroup, if the part of the tree that is mounted has
/// it.
fn dir(mount: &MountInfo, cgroup: &Path) -> Option<PathBuf> {
    let below = cgroup.strip_prefix(&mount.root).ok()?;
    // Outside of our cgroup namespace: the path begins with `..`.
    let inside = !below.starts_with("..");
    // `join` of an empty path would add a slash.
    let parts = below.components();
    inside.then(|| parts.fold(mount.target.clone(), |dir, c| dir.join(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"\
31 24 0:27 / /cg/unified rw - cgroup2 cgroup2 rw
33 24 0:29 /box /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct
";

    fn dir_of(line: &str) -> Option<PathBuf> {
        let mounts = MountInfo::parse(MOUNTS);
        Membership::line(line.as_bytes(), &mounts).unwrap().dir
    }

    #[test]
    fn a_cgroup_is_found_below_the_mount_of_its_hierarchy() {
        assert_eq!(dir_of("0::/a").unwrap(), Path::new("/cg/unified/a"));
        let cpu = dir_of("4:cpu,cpuacct:/box/a");
        assert_eq!(cpu.unwrap(), Path::new("/cg/cpu/a"));
    }

    #[test]
    fn what_is_not_mounted_has_no_directory() {
        assert_eq!(dir_of("5:memory:/a"), None);
        assert_eq!(dir_of("4:cpu,cpuacct:/elsewhere"), None);
        assert_eq!(dir_of("0::/../a"), None);
    }
}
