//! What a container may use: CRI's numbers, where 0 means "not said", as OCI's,
//! where absent does.

use std::collections::HashMap;

use oci_spec::runtime::{
    LinuxCpu, LinuxCpuBuilder, LinuxDeviceCgroupBuilder,
    LinuxHugepageLimitBuilder, LinuxMemory, LinuxMemoryBuilder,
    LinuxPidsBuilder, LinuxResources, LinuxResourcesBuilder,
};

use crate::cri::LinuxContainerResources;
use crate::error::{Error, Result};

/// CRI has no field for the number of processes; it comes as a file of cgroup
/// v2, and runtimes know it as a field of its own that works on v1 too.
const PIDS_MAX: &str = "pids.max";

/// Writes `linux.resources` of config.json. No device may be used but those
/// that every runtime allows.
///
/// # Errors
/// [`Error::Invalid`]: a negative limit, or a `pids.max` that is no number.
///
/// Source: runtime-spec: config-linux.md, "Control groups"; CRI: api.proto,
/// LinuxContainerResources
pub(super) fn resources(
    asked: Option<&LinuxContainerResources>,
) -> Result<LinuxResources> {
    let no_device = LinuxDeviceCgroupBuilder::default()
        .allow(false)
        .access("rwm")
        .build()?;
    let builder = LinuxResourcesBuilder::default().devices(vec![no_device]);
    let Some(asked) = asked else { return Ok(builder.build()?) };

    let mut resources =
        builder.memory(memory(asked)?).cpu(cpu(asked)?).build()?;
    let mut unified: HashMap<_, _> =
        asked.unified.clone().into_iter().collect();
    if let Some(max) = unified.remove(PIDS_MAX) {
        resources.set_pids(Some(
            LinuxPidsBuilder::default().limit(pids(&max)?).build()?,
        ));
    }
    if !unified.is_empty() {
        resources.set_unified(Some(unified));
    }
    let mut huge = Vec::new();
    for limit in &asked.hugepage_limits {
        let bytes = i64::try_from(limit.limit).unwrap_or(i64::MAX);
        let page_size = limit.page_size.as_str();
        huge.push(
            LinuxHugepageLimitBuilder::default()
                .page_size(page_size)
                .limit(bytes)
                .build()?,
        );
    }
    resources.set_hugepage_limits((!huge.is_empty()).then_some(huge));
    Ok(resources)
}

fn memory(asked: &LinuxContainerResources) -> Result<LinuxMemory> {
    let mut memory = LinuxMemoryBuilder::default().build()?;
    memory
        .set_limit(said("memory_limit_in_bytes", asked.memory_limit_in_bytes)?);
    memory.set_swap(said(
        "memory_swap_limit_in_bytes",
        asked.memory_swap_limit_in_bytes,
    )?);
    Ok(memory)
}

fn cpu(asked: &LinuxContainerResources) -> Result<LinuxCpu> {
    let mut cpu = LinuxCpuBuilder::default().build()?;
    cpu.set_shares(
        said("cpu_shares", asked.cpu_shares)?.map(i64::unsigned_abs),
    );
    cpu.set_period(
        said("cpu_period", asked.cpu_period)?.map(i64::unsigned_abs),
    );
    // Alone among them, the quota has a use for -1: no limit.
    cpu.set_quota(Some(asked.cpu_quota).filter(|quota| *quota != 0));
    cpu.set_cpus(
        Some(asked.cpuset_cpus.clone()).filter(|list| !list.is_empty()),
    );
    cpu.set_mems(
        Some(asked.cpuset_mems.clone()).filter(|list| !list.is_empty()),
    );
    Ok(cpu)
}

fn said(field: &str, value: i64) -> Result<Option<i64>> {
    match value {
        0 => Ok(None),
        1.. => Ok(Some(value)),
        _ => Err(Error::Invalid(format!(
            "resources: {field} {value} is negative"
        ))),
    }
}

fn pids(max: &str) -> Result<i64> {
    match max.parse() {
        _ if max == "max" => Ok(-1),
        Ok(limit @ 1..) => Ok(limit),
        _ => Err(Error::Invalid(format!(
            "resources: unified[{PIDS_MAX:?}] {max:?}: a number or `max`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(asked: LinuxContainerResources) -> LinuxResources {
        resources(Some(&asked)).unwrap()
    }

    #[test]
    fn zero_is_not_a_limit() {
        let resources = of(LinuxContainerResources::default());
        assert_eq!(resources.memory().as_ref().unwrap().limit(), None);
        assert_eq!(resources.cpu().as_ref().unwrap().quota(), None);
        assert_eq!((resources.pids(), resources.unified()), (&None, &None));
    }

    #[test]
    fn limits_are_passed_on() {
        let resources = of(LinuxContainerResources {
            memory_limit_in_bytes: 64 << 20,
            cpu_quota: 50_000,
            cpu_period: 100_000,
            unified: [("pids.max".to_owned(), "7".to_owned())].into(),
            ..Default::default()
        });
        assert_eq!(
            resources.memory().as_ref().unwrap().limit(),
            Some(64 << 20)
        );
        let cpu = resources.cpu().as_ref().unwrap();
        assert_eq!((cpu.quota(), cpu.period()), (Some(50_000), Some(100_000)));
        assert_eq!(resources.pids().as_ref().unwrap().limit(), 7);
        assert_eq!(resources.unified(), &None, "a v1 machine refuses unified");
    }

    #[test]
    fn every_device_is_denied_before_the_runtimes_own_list() {
        let devices = resources(None).unwrap().devices().clone().unwrap();
        assert_eq!(devices.len(), 1);
        assert!(!devices[0].allow());
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let negative = LinuxContainerResources {
            memory_limit_in_bytes: -5,
            ..Default::default()
        };
        let error = resources(Some(&negative)).unwrap_err().to_string();
        assert_eq!(error, "resources: memory_limit_in_bytes -5 is negative");
        for max in ["", "0", "-1", "many"] {
            assert!(pids(max).is_err(), "{max:?}");
        }
        assert_eq!(pids("max").unwrap(), -1);
    }
}
