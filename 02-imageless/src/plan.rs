//! All that a container will be, decided by the runtime from config.json before
//! anything is made. What can be refused is refused here, where nothing has to
//! be undone.

use crate::cgroups::{Manager, Place};
use crate::config::Bundle;
use crate::device_rules;
use crate::devices::{self, Device};
use crate::every_process::{EveryProcess, Keyring};
use crate::id::Id;
use crate::isolation::{self, Isolation};
use crate::mounts::{self, Planned};
use crate::net_devices::{self, NetDevice};
use crate::process;
use crate::propagation::{self, Sharing};
use crate::resources;
use crate::supported;
use crate::sysctl::{self, Sysctl};
use anyhow::Result;
use namespaces::cgroup::{DeviceRule, Limits};

/// Read by the runtime and, in the copy that clone3(2) makes, by init.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) bundle: Bundle,
    pub(crate) isolation: Isolation,
    pub(crate) cgroup: Place,
    pub(crate) limits: Limits,
    pub(crate) device_rules: Vec<DeviceRule>,
    pub(crate) sysctls: Vec<Sysctl>,
    pub(crate) mounts: Vec<Planned>,
    pub(crate) sharing: Sharing,
    pub(crate) devices: Vec<Device>,
    pub(crate) net_devices: Vec<NetDevice>,
    pub(crate) process: process::Planned,
}

impl Plan {
    /// Translates a bundle's configuration for the container `id`.
    ///
    /// # Errors
    /// Names the field that is wrong, or not supported.
    pub(crate) fn new(
        bundle: Bundle,
        id: &Id,
        manager: Manager,
        keyring: Keyring,
    ) -> Result<Self> {
        supported::check(&bundle.spec)?;
        let linux =
            bundle.spec.linux().as_ref().expect("checked by supported::check");
        let limited = linux.resources().as_ref();
        let isolation = isolation::plan(linux)?;
        let cgroup = Place::plan(linux, id, manager)?;
        let mut mounts =
            mounts::plan(&bundle, &isolation, cgroup.path.as_deref())?;
        let sharing = propagation::plan(linux, &mut mounts)?;
        Ok(Self {
            limits: limited
                .map(resources::limits)
                .transpose()?
                .unwrap_or_default(),
            device_rules: limited
                .map(device_rules::plan)
                .transpose()?
                .unwrap_or_default(),
            sysctls: sysctl::plan(&bundle.spec, isolation.own())?,
            mounts,
            sharing,
            devices: devices::plan(&bundle.spec)?,
            net_devices: net_devices::plan(linux, &isolation)?,
            process: process::Planned::new(
                bundle.process().clone(),
                EveryProcess::plan(linux, id, keyring)?,
            )?,
            isolation,
            cgroup,
            bundle,
        })
    }
}
