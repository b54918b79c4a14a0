//! How a cgroup is made: whole or not at all, with all that it needs to take
//! processes.

use super::{Cgroup, Version, files, v1, v2};
use crate::error::{Result, SyscallError};
use nix::errno::Errno;
use std::path::Path;

impl Cgroup {
    /// Makes a cgroup, with those above it, in every hierarchy that we use. If
    /// one of them fails, the others are undone.
    ///
    /// An absolute path counts from where the hierarchy is mounted. A relative
    /// one counts from the caller's own cgroup on v1, so that its limits hold
    /// too; on v2 from the one above it: only leaves may have processes there.
    ///
    /// # Errors
    /// EACCES, EROFS: no right to make cgroups there. EBUSY: it exists, with
    /// processes in it. ENOENT: no cgroups mounted.
    ///
    /// Source: cgroups(7), "Creating cgroups and moving processes"
    pub fn create(path: &Path) -> Result<Self> {
        Self::open(path)?.make()
    }

    /// Makes a cgroup that was only opened, as [`Cgroup::create`] does.
    ///
    /// # Errors
    /// As [`Cgroup::create`].
    ///
    /// Source: cgroups(7), "Creating cgroups and moving processes"
    pub fn make(mut self) -> Result<Self> {
        self.refuse_if_in_use()?;
        self.owned = true;
        self.make_dirs()?;
        self.enable_controllers();
        Ok(self)
    }

    /// Takes over a cgroup that systemd has made and has put processes into,
    /// and makes what it has left out: on v1, the hierarchies that it does not
    /// use; on v2, the controllers that it does not know, such as hugetlb. It
    /// lives on when the value is dropped.
    ///
    /// # Errors
    /// As [`Cgroup::create`].
    ///
    /// Source: systemd, docs/CGROUP_DELEGATION.md, "Controller Support"
    pub fn adopt(path: &Path) -> Result<Self> {
        let mut cgroup = Self::with_systemds(path)?;
        cgroup.make_dirs()?;
        cgroup.enable_controllers();
        Ok(cgroup)
    }

    /// What has been made when one fails is undone by Drop, if it is ours.
    fn make_dirs(&mut self) -> Result<()> {
        for dir in &self.dirs {
            files::make_dirs(&dir.path, &mut self.made)
                .map_err(files::explain)?;
        }
        match self.version {
            Version::V1 => {
                self.path_of("cpuset").map_or(Ok(()), v1::inherit_cpuset)
            }
            Version::V2 => Ok(()),
        }
    }

    /// On v1 a hierarchy's controllers are in all of its cgroups.
    fn enable_controllers(&self) {
        match self.version {
            Version::V1 => {}
            Version::V2 => {
                v2::enable_controllers(&self.mount, &self.dirs[0].path);
            }
        }
    }

    /// Refuses one that has processes: they are somebody else's. An empty one
    /// may be left from before.
    ///
    /// # Errors
    /// EBUSY: it has processes.
    ///
    /// Source: cgroups(7), "cgroup.procs"
    pub fn refuse_if_in_use(&self) -> Result<()> {
        for dir in self.dirs.iter().filter(|dir| dir.path.exists()) {
            if !files::unless_gone(files::pids_below(&dir.path))?.is_empty() {
                let call = format!("mkdir({:?})", dir.path);
                return Err(SyscallError::new(call, Errno::EBUSY)
                    .hint("that cgroup exists and has processes in it"));
            }
        }
        Ok(())
    }
}
