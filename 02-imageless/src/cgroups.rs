//! The container's cgroup: the one that `linux.cgroupsPath` names, made by
//! `create`, recorded in `state.json` and removed by `delete`. An ordinary user
//! has it where cgroups are delegated, else a container without one.

mod planned;

use crate::systemd::{self, Properties, Scope};
use anyhow::{Context, Result, bail, ensure};
use namespaces::cgroup::{Cgroup, CpuQuota, DeviceRule, Limits, Usage};
use nix::errno::Errno;
use nix::unistd::Pid;
pub(crate) use planned::Manager;
use planned::is_machines_root;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// What has to be removed with the container; kept in `state.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Counted from the top of each hierarchy, absolute. `None`: the container
    /// stays in its caller's.
    pub(crate) path: Option<PathBuf>,
    /// Directories above it that we are about to make ourselves, the lowest
    /// first.
    parents: Vec<PathBuf>,
    /// Of whose cgroup it is, if systemd makes it.
    #[serde(default)]
    scope: Option<Scope>,
}

impl Place {
    /// Tells whether it is made only when init is there to be put into it.
    pub(crate) fn is_of_systemd(&self) -> bool {
        self.scope.is_some()
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
        if self.is_of_systemd() {
            // See start_scope.
            return Ok(None);
        }
        let Some(path) = &self.path else {
            ensure!(
                *limits == Limits::default(),
                "config.json: linux.resources: {NONE}"
            );
            return Ok(None);
        };
        let cgroup = Cgroup::with_systemds(path)?
            .make()
            .context("config.json: linux.cgroupsPath")?;
        cgroup.set(limits).context("config.json: linux.resources")?;
        if is_machines_root() {
            cgroup
                .set_devices(devices)
                .context("config.json: linux.resources.devices")?;
        }
        Ok(Some(cgroup))
    }

    /// Lets systemd put init into its scope, if it has one, and does there what
    /// systemd has no word for.
    ///
    /// # Errors
    /// No systemd, or what it refuses. As [`Place::create`].
    pub(crate) fn start_scope(
        &self,
        init: Pid,
        limits: &Limits,
        devices: &[DeviceRule],
    ) -> Result<()> {
        let (Some(scope), Some(path)) = (&self.scope, &self.path) else {
            return Ok(());
        };
        let version = Cgroup::open(path)?.version();
        let mut properties = checked_properties(path, limits)?;
        properties.extend(systemd::of_devices(devices, version)?);
        systemd::start(scope, init, properties)?;
        let cgroup = Cgroup::adopt(path)?;
        cgroup.add(init)?;
        cgroup.set(limits).context("config.json: linux.resources")?;
        cgroup
            .set_devices(devices)
            .context("config.json: linux.resources.devices")
    }

    /// Sets limits; those that are not given stay as they are.
    pub(crate) fn set(&self, limits: &Limits) -> Result<()> {
        let cgroup = self.own()?;
        if let (Some(scope), Some(path)) = (&self.scope, &self.path) {
            let limited = checked_properties(path, limits)?;
            systemd::set_properties(scope, limited)?;
        }
        cgroup.set(limits).context("config.json: linux.resources")
    }

    /// Reads how much of a processor its processes may use. `None`: nothing
    /// says so.
    pub(crate) fn cpu_quota(&self) -> Result<Option<CpuQuota>> {
        Ok(self.own()?.limits()?.cpu_quota)
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
        // One that was never made, or is removed already, has no processes.
        self.open()?.map_or(Ok(()), |cgroup| Ok(cgroup.kill()?))
    }

    /// Removes it with the directories above it that we made.
    pub(crate) fn remove(&self) -> Result<()> {
        if let Some(scope) = &self.scope {
            systemd::stop(scope)?;
        }
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

    /// Removes it if nobody is in it, and tells whether it is gone. Who was
    /// about to leave has a moment to do so.
    pub(crate) fn remove_if_unused(&self) -> Result<bool> {
        self.is_removed_within(Duration::from_millis(50))
    }

    /// Removes it if nobody is in it now, and tells whether it is gone. One that
    /// systemd has made is only removed by [`Place::remove`].
    pub(crate) fn remove_if_empty(&self) -> Result<bool> {
        Ok(!self.is_of_systemd() && self.is_removed_within(Duration::ZERO)?)
    }

    fn is_removed_within(&self, limit: Duration) -> Result<bool> {
        let Some(mut cgroup) = self.open()? else { return Ok(true) };
        match cgroup.remove_within(limit) {
            Err(error) if IN_USE.contains(&error.errno) => return Ok(false),
            result => result?,
        }
        self.remove_parents();
        Ok(true)
    }
}

/// Limits in systemd's words. It does at once what it is told: so first what we
/// would refuse.
fn checked_properties(path: &Path, limits: &Limits) -> Result<Properties> {
    Cgroup::plan(path, limits).context("config.json: linux.resources")?;
    systemd::of_limits(limits, Cgroup::open(path)?.version())
}

/// What the kernel, and the library, say of a cgroup with processes.
const IN_USE: [Errno; 2] = [Errno::EBUSY, Errno::ETIMEDOUT];

/// What cannot be done without a cgroup says so.
const NONE: &str = "the container has no cgroup of its own\nhint: an ordinary \
    user may make one in a delegated cgroup, for example from `systemd-run \
    --user --scope -p Delegate=yes`";
