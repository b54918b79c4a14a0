//! Finds out how this machine has its cgroups mounted, and where we are in
//! them. Read from /proc/self/mountinfo and /proc/self/cgroup, never guessed
//! from /sys/fs/cgroup.

use super::{Dir, Membership, systemds, v1, v2};
use crate::error::{Result, SyscallError};
use crate::kernel_file;
use crate::mountinfo::MountInfo;
use nix::errno::Errno;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Names the interface that the controllers are on. A hybrid machine counts as
/// v1: its v2 tree has none that we need.
///
/// Source: cgroups(7), "Cgroups version 1 and version 2"; v2 is official since
/// "Linux 4.5 (2016-03)"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A tree for each controller.
    V1,
    /// One tree.
    V2,
}

impl Version {
    /// Picks what belongs to this version.
    pub(super) fn pick<T>(self, (v1, v2): (T, T)) -> T {
        match self {
            Self::V1 => v1,
            Self::V2 => v2,
        }
    }
}

/// A hierarchy: its mount point and the part of it that is visible there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hierarchy {
    /// Or the name of a hierarchy that has none. Empty on v2.
    pub(super) controllers: Vec<String>,
    /// What part of the tree is mounted: `/`, or our own part in a container
    /// without a cgroup namespace.
    root: PathBuf,
    pub(super) path: PathBuf,
    /// Our own cgroup in it.
    own: PathBuf,
}

/// How cgroups are mounted: on v2 exactly one mount, on v1 one a controller.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) version: Version,
    pub(super) mounts: Vec<Hierarchy>,
    /// The one of systemd, which has no controller; on v1 only.
    pub(super) systemds: Option<Hierarchy>,
}

impl Layout {
    /// Finds out the layout of this machine. Once: a runtime asks half a dozen
    /// times in its few milliseconds, and the kernel writes a line for each
    /// mount every time.
    pub(super) fn detect() -> Result<&'static Self> {
        static LAYOUT: OnceLock<Layout> = OnceLock::new();
        match LAYOUT.get() {
            Some(layout) => Ok(layout),
            None => Self::read().map(|layout| LAYOUT.get_or_init(|| layout)),
        }
    }

    fn read() -> Result<Self> {
        let mounts = MountInfo::of("self")?;
        let ours = kernel_file::read(Path::new("/proc/self/cgroup"))?;
        Self::new(&mounts, &ours).ok_or_else(|| {
            SyscallError::new("read(\"/proc/self/mountinfo\")", Errno::ENOENT)
                .hint("mount cgroups: `mount -t cgroup2 none /sys/fs/cgroup`")
        })
    }

    /// `ours`: what /proc/self/cgroup says.
    fn new(mounts: &[MountInfo], ours: &[u8]) -> Option<Self> {
        let ours = Membership::parse(ours, &[]);
        let of_type = |fstype| {
            let mounts = mounts.iter().filter(move |m| m.fstype == fstype);
            mounts.map(|mount| Hierarchy::new(mount, &ours))
        };
        let (systemds, v1): (Vec<_>, Vec<_>) = of_type("cgroup")
            .filter(|h| !h.controllers.is_empty())
            .partition(|h| h.controllers == [systemds::NAME]);
        if v1.is_empty() {
            let (version, mounts) = (Version::V2, of_type("cgroup2").next()?);
            return Some(Self {
                version,
                mounts: vec![mounts],
                systemds: None,
            });
        }
        let systemds = systemds.into_iter().next();
        Some(Self { version: Version::V1, mounts: v1, systemds })
    }

    /// Turns a relative path into an absolute one; `None` on v1 if that is
    /// another one in each tree.
    pub(super) fn absolute(&self, path: &Path) -> Option<PathBuf> {
        let locate =
            |hierarchy: &Hierarchy| hierarchy.locate(self.version, path);
        let first = locate(self.mounts.first()?);
        self.mounts.iter().all(|h| locate(h) == first).then_some(first)
    }

    /// Gives the directories of a cgroup.
    pub(super) fn dirs(&self, path: &Path) -> Vec<Dir> {
        let dir = |hierarchy: &Hierarchy| {
            let path = hierarchy.dir_of(&hierarchy.locate(self.version, path));
            let controllers = match self.version {
                Version::V1 => hierarchy.controllers.clone(),
                Version::V2 => vec![v2::CONTROLLERS.join(",")],
            };
            controllers
                .into_iter()
                .map(move |controller| Dir { controller, path: path.clone() })
        };
        let mut dirs: Vec<Dir> = self.mounts.iter().flat_map(dir).collect();
        // The same tree can be mounted twice.
        dirs.sort_by(|a, b| a.controller.cmp(&b.controller));
        dirs.dedup_by(|a, b| a.controller == b.controller);
        dirs
    }
}

impl Hierarchy {
    /// Source: proc_pid_mountinfo(5); cgroups(7), "/proc/pid/cgroup"
    fn new(mount: &MountInfo, ours: &[Membership]) -> Self {
        // Those of v2 have no controllers there.
        let options = mount.super_options.split(',');
        let wanted = |name: &&str| {
            v1::CONTROLLERS.contains(name) || *name == systemds::NAME
        };
        let controllers: Vec<String> =
            options.filter(wanted).map(Into::into).collect();
        let is_here = |our: &&Membership| match controllers.first() {
            Some(name) => our.controllers.contains(name),
            None => our.controllers.is_empty(),
        };
        let own = ours.iter().find(is_here);
        let own = own.map_or_else(|| "/".into(), |our| our.path.clone());
        let (root, path) = (mount.root.clone(), mount.target.clone());
        Self { controllers, root, path, own }
    }

    /// Turns a relative path into one that counts from the top of the tree, see
    /// [`super::Cgroup::create`].
    pub(super) fn locate(&self, version: Version, path: &Path) -> PathBuf {
        let base = match version {
            Version::V1 => &self.own,
            Version::V2 => self.own.parent().unwrap_or(&self.own),
        };
        // `join` of an absolute path is that path.
        base.join(path)
    }

    /// Finds the directory of a cgroup whose path counts from the top of the
    /// tree.
    pub(super) fn dir_of(&self, cgroup: &Path) -> PathBuf {
        let below = cgroup
            .strip_prefix(&self.root)
            .or_else(|_| cgroup.strip_prefix("/"));
        self.path.join(below.unwrap_or(cgroup))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
31 24 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
32 24 0:28 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
33 24 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
34 24 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
";
    const V2: &str = "\
30 24 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate
";

    fn layout(mountinfo: &str, own: &str) -> Option<Layout> {
        Layout::new(&MountInfo::parse(mountinfo.as_bytes()), own.as_bytes())
    }

    fn paths(mountinfo: &str, own: &str, path: &str) -> Vec<String> {
        let dirs = layout(mountinfo, own).unwrap().dirs(Path::new(path));
        dirs.iter().map(|dir| dir.path.display().to_string()).collect()
    }

    #[test]
    fn a_hybrid_machine_counts_as_v1() {
        let paths = paths(HYBRID, "4:memory:/\n1:cpu,cpuacct:/\n0::/\n", "/c");
        let cpu = "/sys/fs/cgroup/cpu,cpuacct/c";
        assert_eq!(paths, [cpu, cpu, "/sys/fs/cgroup/memory/c"]);
    }

    #[test]
    fn a_hierarchy_without_a_controller_does_not_make_a_machine_v1() {
        let systemds = HYBRID.lines().last().unwrap();
        let layout = layout(&format!("{V2}{systemds}\n"), "0::/\n").unwrap();
        assert_eq!((layout.version, layout.systemds), (Version::V2, None));
    }

    #[test]
    fn a_relative_path_is_below_our_own_cgroup_on_v1() {
        let paths = paths(HYBRID, "4:memory:/us\n1:cpu,cpuacct:/\n0::/\n", "c");
        assert_eq!(paths[2], "/sys/fs/cgroup/memory/us/c");
    }

    #[test]
    fn a_relative_path_is_beside_our_own_cgroup_on_v2() {
        assert_eq!(paths(V2, "0::/user/us\n", "c"), ["/sys/fs/cgroup/user/c"]);
        assert_eq!(paths(V2, "0::/\n", "c"), ["/sys/fs/cgroup/c"]);
    }

    #[test]
    fn a_relative_path_is_absolute_where_all_trees_agree() {
        let absolute = |own: &str| {
            let layout = layout(HYBRID, own).unwrap();
            layout.absolute(Path::new("c"))
        };
        let both = absolute("4:memory:/us\n1:cpu,cpuacct:/us\n0::/\n");
        assert_eq!(both, Some(PathBuf::from("/us/c")));
        assert_eq!(absolute("4:memory:/us\n1:cpu,cpuacct:/\n0::/\n"), None);
    }

    #[test]
    fn a_mount_of_a_part_of_the_tree_is_counted_from_that_part() {
        let mountinfo = V2.replace("0:26 / ", "0:26 /docker/abc ");
        assert_eq!(
            paths(&mountinfo, "0::/docker/abc/us\n", "c"),
            ["/sys/fs/cgroup/c"]
        );
    }

    #[test]
    fn no_cgroups_are_no_layout() {
        let none = layout("1 0 8:1 / / rw - ext4 /dev/sda rw\n", "0::/\n");
        assert_eq!(none, None);
    }

    #[test]
    fn a_space_in_the_mount_point_is_a_space() {
        let mountinfo = V2.replace("/sys/fs/cgroup", r"/cg\0402");
        assert_eq!(paths(&mountinfo, "0::/\n", "c"), ["/cg 2/c"]);
    }
}
