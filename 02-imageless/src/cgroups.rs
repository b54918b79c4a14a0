//! The container's cgroup: the one that `linux.cgroupsPath` names, made by
//! `create`, recorded in `state.json` and removed by `delete`. An ordinary user
//! has it where cgroups are delegated, else a container without one.

use crate::id::Id;
use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use namespaces::cgroup::{Cgroup, DeviceRule, Limits, Usage};
use namespaces::idmap::in_first_user_namespace;
use nix::errno::Errno;
use nix::unistd::{AccessFlags, Pid, access, geteuid};
use oci_spec::runtime::Linux;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Who makes a container's cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Manager {
    /// We, in the cgroup file system
    Cgroupfs,
    /// systemd, at our request (not supported yet)
    Systemd,
    /// Nobody: the container stays in its caller's
    Disabled,
}

/// What has to be removed with the container; kept in `state.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Counted from the top of each hierarchy, absolute. `None`: the container
    /// stays in its caller's.
    pub(crate) path: Option<PathBuf>,
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
    pub(crate) fn plan(
        linux: &Linux,
        id: &Id,
        manager: Manager,
    ) -> Result<Self> {
        if manager == Manager::Disabled {
            return Ok(Self::default());
        }
        let wanted = linux.cgroups_path().as_deref();
        let wanted = wanted.filter(|path| !path.as_os_str().is_empty());
        let path = match wanted {
            Some(path) => Path::new("/").join(path),
            None => match default_path(id)? {
                Some(path) => path,
                None => return Ok(Self::default()),
            },
        };
        if path.components().any(|part| part == Component::ParentDir)
            || path.parent().is_none()
        {
            bail!(
                "config.json: linux.cgroupsPath: {path:?}: not a cgroup below \
                 the top"
            );
        }
        let cgroup = Cgroup::open(&path)?;
        let parents = cgroup.paths().into_iter().flat_map(missing_parents);
        Ok(Self { path: Some(path), parents: parents.collect() })
    }

    /// Opens it, if the container has one.
    pub(crate) fn open(&self) -> Result<Option<Cgroup>> {
        Ok(self.path.as_deref().map(Cgroup::open).transpose()?)
    }

    /// Opens it for what cannot be done without.
    fn own(&self) -> Result<Cgroup> {
        self.open()?.context(NONE)
    }

    /// Refuses one that has processes, before `state.json` names it.
    ///
    /// # Errors
    /// EBUSY: it has processes, which are somebody else's.
    pub(crate) fn refuse_if_in_use(&self) -> Result<()> {
        let Some(cgroup) = self.open()? else { return Ok(()) };
        cgroup.refuse_if_in_use().context("config.json: linux.cgroupsPath")
    }

    /// Makes the cgroup and sets its limits; if that fails, dropping the value
    /// removes what was made. Only the machine's root may set rules for devices;
    /// nobody else could make a device that they would have to forbid.
    ///
    /// # Errors
    /// EBUSY: it has processes already. Others as the kernel says. Limits for a
    /// container that has no cgroup.
    pub(crate) fn create(
        &self,
        limits: &Limits,
        devices: &[DeviceRule],
    ) -> Result<Option<Cgroup>> {
        let Some(path) = &self.path else {
            ensure!(
                *limits == Limits::default(),
                "config.json: linux.resources: {NONE}"
            );
            return Ok(None);
        };
        let cgroup =
            Cgroup::create(path).context("config.json: linux.cgroupsPath")?;
        cgroup.set(limits).context("config.json: linux.resources")?;
        if is_machines_root() {
            cgroup
                .set_devices(devices)
                .context("config.json: linux.resources.devices")?;
        }
        Ok(Some(cgroup))
    }

    /// Sets limits; those that are not given stay as they are.
    pub(crate) fn set(&self, limits: &Limits) -> Result<()> {
        let cgroup = self.own()?;
        cgroup.set(limits).context("config.json: linux.resources")
    }

    /// Tells whether its processes are held still. Without a freezer they
    /// cannot be.
    pub(crate) fn is_frozen(&self) -> bool {
        let cgroup = self.open().unwrap_or_default();
        cgroup.is_some_and(|cgroup| cgroup.is_frozen().unwrap_or(false))
    }

    /// Holds its processes still.
    pub(crate) fn freeze(&self) -> Result<()> {
        Ok(self.own()?.freeze()?)
    }

    /// Lets its processes go on.
    pub(crate) fn thaw(&self) -> Result<()> {
        Ok(self.own()?.thaw()?)
    }

    /// Lists its processes; `None`: the container has no cgroup.
    pub(crate) fn pids(&self) -> Result<Option<Vec<Pid>>> {
        let cgroup = self.open()?;
        Ok(cgroup.map(|cgroup| cgroup.pids()).transpose()?)
    }

    /// Reads what its processes use.
    pub(crate) fn usage(&self) -> Result<Usage> {
        Ok(self.own()?.usage()?)
    }

    /// Reads how many of them the kernel has killed for want of memory.
    pub(crate) fn oom_kills(&self) -> Result<u64> {
        Ok(self.own()?.oom_kills()?)
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
        let own = self.path.as_deref().context(NONE)?;
        Ok(Cgroup::open(&own.join(path))?)
    }

    /// Kills every process in it and waits until they have ended.
    pub(crate) fn kill(&self) -> Result<()> {
        let Some(cgroup) = self.open()? else { return Ok(()) };
        // One that was never made, or is removed already, has no processes.
        if cgroup.paths().into_iter().all(Path::exists) {
            cgroup.kill()?;
        }
        Ok(())
    }

    /// Removes it with the directories above it that we made.
    pub(crate) fn remove(&self) -> Result<()> {
        if let Some(mut cgroup) = self.open()? {
            cgroup.remove()?;
        }
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
        let Some(mut cgroup) = self.open()? else { return Ok(()) };
        match cgroup.remove() {
            Err(error) if error.errno == Errno::ETIMEDOUT => return Ok(()),
            result => result?,
        }
        self.remove_parents();
        Ok(())
    }
}

/// What cannot be done without a cgroup says so.
const NONE: &str = "the container has no cgroup of its own\nhint: an ordinary \
    user may make one in a delegated cgroup, for example from `systemd-run \
    --user --scope -p Delegate=yes`";

/// Finds where a container goes of which nobody says where: to the top, or for
/// an ordinary user to what is delegated to her. `None`: that is nothing.
///
/// Source: cgroups(7), "Cgroups delegation: delegating a hierarchy to a less
/// privileged user"
// ANCHOR: default_path
fn default_path(id: &Id) -> Result<Option<PathBuf>> {
    let name = format!("imageless-{id}");
    let top = Path::new("/").join(&name);
    if is_machines_root() || may_make(&top)? {
        return Ok(Some(top));
    }
    match Cgroup::absolute(Path::new(&name))? {
        Some(path) if may_make(&path)? => Ok(Some(path)),
        Some(_) | None => Ok(None),
    }
}
// ANCHOR_END: default_path

fn is_machines_root() -> bool {
    geteuid().is_root() && in_first_user_namespace()
}

/// Tells whether we may make a cgroup's directories, and move processes from
/// the one above to it.
fn may_make(path: &Path) -> Result<bool> {
    let may_write = |path: &Path| access(path, AccessFlags::W_OK).is_ok();
    Ok(Cgroup::open(path)?.paths().into_iter().all(|dir| {
        let above = dir.ancestors().skip(1).find(|above| above.exists());
        above.is_some_and(|dir| {
            may_write(dir) && may_write(&dir.join("cgroup.procs"))
        })
    }))
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
        let id = Id::parse("a").unwrap();
        assert!(Place::plan(&linux, &id, Manager::Cgroupfs).is_err());
    }
}
