//! The container's cgroup: the one that `linux.cgroupsPath` names, made by
//! `create`, recorded in `state.json` and removed by `delete`.

use crate::id::Id;
use anyhow::{Context, Result, bail};
use namespaces::cgroup::{Cgroup, DeviceRule, Limits, Usage};
use namespaces::process::{kill, pidfd_open};
use nix::errno::Errno;
use nix::unistd::Pid;
use oci_spec::runtime::Linux;
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::fd::AsFd;
use std::path::{Component, Path, PathBuf};

/// What has to be removed with the container; kept in `state.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Counted from the top of each hierarchy, absolute.
    pub(crate) path: PathBuf,
    /// Directories above it that we are about to make ourselves, the lowest
    /// first.
    parents: Vec<PathBuf>,
}

impl Place {
    /// Finds the place that `linux.cgroupsPath` names, or the default one.
    ///
    /// # Errors
    /// A path with `..`, which would lead out of the hierarchy.
    ///
    /// Source: runtime-spec: config-linux.md, "Cgroups Path"
    pub(crate) fn plan(linux: &Linux, id: &Id) -> Result<Self> {
        let path = match linux.cgroups_path() {
            Some(path) if !path.as_os_str().is_empty() => {
                Path::new("/").join(path)
            }
            Some(_) | None => PathBuf::from(format!("/imageless-{id}")),
        };
        if path.components().any(|part| part == Component::ParentDir)
            || path.parent().is_none()
        {
            bail!(
                "config.json: linux.cgroupsPath: {path:?}: not a cgroup below \
                 the top"
            );
        }
        let parents = Cgroup::open(&path)?
            .paths()
            .into_iter()
            .flat_map(missing_parents)
            .collect();
        Ok(Self { path, parents })
    }

    /// Refuses one that has processes, before `state.json` names it.
    ///
    /// # Errors
    /// EBUSY: it has processes, which are somebody else's.
    pub(crate) fn refuse_if_in_use(&self) -> Result<()> {
        Cgroup::open(&self.path)?
            .refuse_if_in_use()
            .context("config.json: linux.cgroupsPath")
    }

    /// Makes the cgroup and sets its limits; if that fails, dropping the value
    /// removes what was made.
    ///
    /// # Errors
    /// EBUSY: it has processes already. Others as the kernel says.
    pub(crate) fn create(
        &self,
        limits: &Limits,
        devices: &[DeviceRule],
    ) -> Result<Cgroup> {
        let cgroup = Cgroup::create(&self.path)
            .context("config.json: linux.cgroupsPath")?;
        cgroup.set(limits).context("config.json: linux.resources")?;
        cgroup
            .set_devices(devices)
            .context("config.json: linux.resources.devices")?;
        Ok(cgroup)
    }

    /// Sets limits; those that are not given stay as they are.
    pub(crate) fn set(&self, limits: &Limits) -> Result<()> {
        let cgroup = Cgroup::open(&self.path)?;
        cgroup.set(limits).context("config.json: linux.resources")
    }

    /// Tells whether its processes are held still. Without a freezer they
    /// cannot be.
    pub(crate) fn is_frozen(&self) -> bool {
        let frozen = Cgroup::open(&self.path).and_then(|c| c.is_frozen());
        frozen.unwrap_or(false)
    }

    /// Holds its processes still.
    pub(crate) fn freeze(&self) -> Result<()> {
        Ok(Cgroup::open(&self.path)?.freeze()?)
    }

    /// Lets its processes go on.
    pub(crate) fn thaw(&self) -> Result<()> {
        Ok(Cgroup::open(&self.path)?.thaw()?)
    }

    /// Lists its processes.
    pub(crate) fn pids(&self) -> Result<Vec<Pid>> {
        Ok(Cgroup::open(&self.path)?.pids()?)
    }

    /// Reads what its processes use.
    pub(crate) fn usage(&self) -> Result<Usage> {
        Ok(Cgroup::open(&self.path)?.usage()?)
    }

    /// Reads how many of them the kernel has killed for want of memory.
    pub(crate) fn oom_kills(&self) -> Result<u64> {
        Ok(Cgroup::open(&self.path)?.oom_kills()?)
    }

    /// Opens a cgroup that the container itself has made below it.
    ///
    /// # Errors
    /// A path with `..`, which would lead out of the container's.
    pub(crate) fn open_below(&self, path: &Path) -> Result<Cgroup> {
        let path = path.strip_prefix("/").unwrap_or(path);
        if path.components().any(|part| part == Component::ParentDir) {
            bail!("{path:?}: not below the container's cgroup");
        }
        Ok(Cgroup::open(&self.path.join(path))?)
    }

    /// Kills every process in it and waits until they have ended.
    pub(crate) fn kill(&self) -> Result<()> {
        let cgroup = Cgroup::open(&self.path)?;
        // One that was never made, or is removed already, has no processes.
        if cgroup.paths().into_iter().all(Path::exists) {
            cgroup.kill()?;
        }
        Ok(())
    }

    /// Removes it with the directories above it that we made.
    pub(crate) fn remove(&self) -> Result<()> {
        Cgroup::open(&self.path)?.remove()?;
        self.remove_parents();
        Ok(())
    }

    fn remove_parents(&self) {
        for parent in &self.parents {
            // EBUSY or ENOTEMPTY: another container uses it now. ENOENT:
            // another one has removed it.
            let _ = fs::remove_dir(parent);
        }
    }

    /// Removes what a `create` made of it that was killed before it knew its
    /// init. That init ends by itself; who is still there after the time that
    /// takes is somebody else's, and stays.
    pub(crate) fn remove_if_unused(&self) -> Result<()> {
        match Cgroup::open(&self.path)?.remove() {
            Err(error) if error.errno == Errno::ETIMEDOUT => return Ok(()),
            result => result?,
        }
        self.remove_parents();
        Ok(())
    }

    /// Sends a signal to every process in it.
    pub(crate) fn signal(&self, signal: i32) -> Result<()> {
        for pid in Cgroup::open(&self.path)?.pids()? {
            // No such process: it has ended since it was listed.
            let Ok(process) = pidfd_open(pid) else { continue };
            kill(process.as_fd(), signal)?;
        }
        Ok(())
    }
}

fn missing_parents(dir: &Path) -> Vec<PathBuf> {
    dir.ancestors()
        .skip(1)
        .take_while(|dir| !dir.exists())
        .map(Path::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroups_path_does_not_lead_out_of_the_hierarchy() {
        let linux: Linux =
            serde_json::from_str(r#"{"cgroupsPath":"/a/../../x"}"#).unwrap();
        assert!(Place::plan(&linux, &Id::parse("a").unwrap()).is_err());
    }
}
