//! The hierarchy of v1 that has no controller and is only a list of who belongs
//! together: systemd keeps its units in it. A systemd in a container does so
//! too, below the cgroup that its pid 1 is in.

use super::layout::Layout;
use super::{Cgroup, Dir};
use crate::error::Result;
use nix::unistd::{AccessFlags, access};
use std::path::Path;

/// How a mount of it and /proc/PID/cgroup call it.
pub(super) const NAME: &str = "name=systemd";

impl Cgroup {
    /// Opens a cgroup that is yet to be made, see [`Cgroup::make`], and names
    /// its directory in systemd's own hierarchy too. Not on v2, not where that
    /// is not mounted, and not where we may not make one: nobody but systemd
    /// misses it.
    ///
    /// One that has been made is opened with it by [`Cgroup::open`].
    ///
    /// # Errors
    /// ENOENT: no cgroups mounted.
    ///
    /// Source: cgroups(7), "Cgroups v1 named hierarchies"
    pub fn with_systemds(path: &Path) -> Result<Self> {
        Self::open_with(path, |dir| {
            let there = dir.ancestors().find(|above| above.exists());
            there.is_some_and(|dir| access(dir, AccessFlags::W_OK).is_ok())
        })
    }

    /// Opens a cgroup, with its directory among systemd's if that is `wanted`.
    pub(super) fn open_with(
        path: &Path,
        wanted: fn(&Path) -> bool,
    ) -> Result<Self> {
        let layout = Layout::detect()?;
        let mut dirs = layout.dirs(path);
        let systemds = layout.dir_among_systemds(path);
        dirs.extend(systemds.filter(|dir| wanted(&dir.path)));
        Ok(Self::opened(layout, dirs))
    }
}

impl Layout {
    fn dir_among_systemds(&self, path: &Path) -> Option<Dir> {
        let hierarchy = self.systemds.as_ref()?;
        let path = hierarchy.dir_of(&hierarchy.locate(self.version, path));
        Some(Dir { controller: NAME.into(), path })
    }
}
