//! `linux.resources` in the library's units. Each limit is set, or refused by
//! its name: one that is silently left out is no limit.

mod network;

use anyhow::{Context, Result, bail};
use namespaces::cgroup::{
    CpuQuota, CpuWeight, Disk, HugetlbLimit, IoLimit, IoWeight, Limit, Limits,
    NumberList,
};
use oci_spec::runtime::{
    LinuxBlockIo, LinuxCpu, LinuxHugepageLimit, LinuxMemory, LinuxResources,
    LinuxThrottleDevice, LinuxWeightDevice,
};
use std::str::FromStr;

/// Translates everything but `devices`.
///
/// # Errors
/// Names a field that we could not honour.
///
/// Source: runtime-spec: config-linux.md, "Control groups"
pub(crate) fn limits(resources: &LinuxResources) -> Result<Limits> {
    const OF_THE_KERNEL: CpuQuota =
        CpuQuota { quota: Limit::Max, period: 100_000 };
    update(resources, OF_THE_KERNEL)
}

/// Translates them for a container that runs. Of a quota and its period, which
/// are written together, the one that is not given stays as it is.
///
/// # Errors
/// As [`limits`].
pub(crate) fn update(
    resources: &LinuxResources,
    in_force: CpuQuota,
) -> Result<Limits> {
    let mut limits = Limits {
        pids: resources.pids().as_ref().and_then(|pids| limit(pids.limit())),
        hugetlb: resources
            .hugepage_limits()
            .iter()
            .flatten()
            .map(hugetlb)
            .collect(),
        unified: resources
            .unified()
            .clone()
            .unwrap_or_default()
            .into_iter()
            .collect(),
        ..Limits::default()
    };
    if let Some(memory) = resources.memory() {
        set_memory(memory, &mut limits)?;
    }
    if let Some(cpu) = resources.cpu() {
        set_cpu(cpu, in_force, &mut limits)?;
    }
    if let Some(io) = resources.block_io() {
        set_io(io, &mut limits)?;
    }
    network::set(resources, &mut limits)?;
    Ok(limits)
}

// ANCHOR: limit
/// 0 means "not set" to every engine; a negative number means "as much as there
/// is".
fn limit(number: i64) -> Option<Limit> {
    match u64::try_from(number) {
        Ok(0) => None,
        Ok(number) => Some(Limit::At(number)),
        Err(_) => Some(Limit::Max),
    }
}
// ANCHOR_END: limit

fn set_memory(memory: &LinuxMemory, limits: &mut Limits) -> Result<()> {
    limits.memory = memory.limit().and_then(limit);
    limits.memory_low = memory.reservation().and_then(limit);
    limits.swappiness = memory.swappiness();
    limits.oom_kill = memory.disable_oom_killer().map(|disabled| !disabled);
    // ANCHOR: swap
    limits.swap = match (memory.swap().and_then(limit), limits.memory) {
        (None, _) => None,
        (Some(Limit::Max), _) => Some(Limit::Max),
        // The runtime-spec counts memory and swap together.
        (Some(Limit::At(both)), Some(Limit::At(memory))) if both >= memory => {
            Some(Limit::At(both - memory))
        }
        (Some(Limit::At(_)), _) => bail!(
            "config.json: linux.resources.memory.swap: it counts memory and \
             swap: a limit of memory has to be given, and not a larger one"
        ),
    };
    // ANCHOR_END: swap
    Ok(())
}

fn set_cpu(
    cpu: &LinuxCpu,
    in_force: CpuQuota,
    limits: &mut Limits,
) -> Result<()> {
    let runtime = cpu.realtime_runtime().filter(|runtime| *runtime != 0);
    limits.rt_runtime = runtime
        .map(u64::try_from)
        .transpose()
        .context("config.json: linux.resources.cpu.realtimeRuntime")?;
    limits.rt_period = cpu.realtime_period().filter(|period| *period != 0);
    limits.cpu_quota = quota(cpu, in_force);
    limits.cpu_burst = cpu.burst();
    limits.cpu_weight =
        cpu.shares().filter(|shares| *shares != 0).map(CpuWeight::Shares);
    limits.cpu_idle = cpu.idle().map(|idle| idle != 0);
    limits.cpus = list("cpus", cpu.cpus().as_deref())?;
    limits.mems = list("mems", cpu.mems().as_deref())?;
    Ok(())
}

fn quota(cpu: &LinuxCpu, in_force: CpuQuota) -> Option<CpuQuota> {
    let period = cpu.period().filter(|period| *period != 0);
    let quota = cpu.quota().and_then(limit);
    (quota.is_some() || period.is_some()).then(|| CpuQuota {
        quota: quota.unwrap_or(in_force.quota),
        period: period.unwrap_or(in_force.period),
    })
}

fn list(field: &str, text: Option<&str>) -> Result<Option<NumberList>> {
    let text = text.filter(|text| !text.is_empty());
    text.map(NumberList::from_str)
        .transpose()
        .with_context(|| format!("config.json: linux.resources.cpu.{field}"))
}

fn set_io(io: &LinuxBlockIo, limits: &mut Limits) -> Result<()> {
    let devices = io.weight_device().iter().flatten();
    let of_leaves = |d: &LinuxWeightDevice| d.leaf_weight().unwrap_or(0) != 0;
    let refused = [
        ("leafWeight", io.leaf_weight().is_some_and(|n| n != 0)),
        ("weightDevice.leafWeight", devices.clone().any(of_leaves)),
    ];
    refuse("blockIO", &refused)?;
    for device in devices {
        let disk = disk(device.major(), device.minor())?;
        let weight = device.weight().filter(|weight| *weight != 0);
        let weight = weight.map(|w| IoWeight::from_blkio(w.into()));
        limits.io_weights.extend(weight.map(|weight| (disk, weight)));
    }
    let weight = io.weight().filter(|weight| *weight != 0);
    limits.io_weight = weight.map(|w| IoWeight::from_blkio(w.into()));
    limits.io = throttles(io)?;
    Ok(())
}

/// One line for each disk and each of the four numbers; the kernel keeps those
/// that a line does not name.
fn throttles(io: &LinuxBlockIo) -> Result<Vec<IoLimit>> {
    type Set = fn(&mut IoLimit) -> &mut Option<Limit>;
    let tables: [(&Option<Vec<LinuxThrottleDevice>>, Set); 4] = [
        (io.throttle_read_bps_device(), |io| &mut io.read_bytes),
        (io.throttle_write_bps_device(), |io| &mut io.write_bytes),
        (io.throttle_read_iops_device(), |io| &mut io.reads),
        (io.throttle_write_iops_device(), |io| &mut io.writes),
    ];
    let mut all = Vec::new();
    for (devices, number) in tables {
        for device in devices.iter().flatten() {
            let disk = disk(device.major(), device.minor())?;
            let mut line = IoLimit { disk, ..IoLimit::default() };
            let rate = device.rate();
            *number(&mut line) =
                Some(if rate == 0 { Limit::Max } else { Limit::At(rate) });
            all.push(line);
        }
    }
    Ok(all)
}

fn disk(major: i64, minor: i64) -> Result<Disk> {
    let part = |number| {
        u64::try_from(number).context(
            "config.json: linux.resources.blockIO: a negative device number",
        )
    };
    Ok(Disk { major: part(major)?, minor: part(minor)? })
}

fn hugetlb(config: &LinuxHugepageLimit) -> HugetlbLimit {
    let limit = u64::try_from(config.limit()).map_or(Limit::Max, Limit::At);
    HugetlbLimit { page_size: config.page_size().clone(), limit }
}

fn refuse(part: &str, fields: &[(&str, bool)]) -> Result<()> {
    match fields.iter().find(|(_, asked_for)| *asked_for) {
        Some((field, _)) => bail!(
            "config.json: linux.resources.{part}.{field}: not supported yet"
        ),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(json: &str) -> Result<Limits> {
        limits(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn zero_is_not_a_limit_and_minus_one_is_no_limit() {
        let limits = translated(
            r#"{"memory":{"limit":0},"pids":{"limit":-1},"cpu":{"quota":5000}}"#,
        );
        let limits = limits.unwrap();
        assert_eq!((limits.memory, limits.pids), (None, Some(Limit::Max)));
        assert_eq!(
            limits.cpu_quota,
            Some(CpuQuota { quota: Limit::At(5000), period: 100_000 })
        );
    }

    #[test]
    fn swap_is_what_is_left_after_memory() {
        let limits =
            translated(r#"{"memory":{"limit":4096,"swap":6000}}"#).unwrap();
        assert_eq!(limits.swap, Some(Limit::At(1904)));
        assert!(translated(r#"{"memory":{"swap":6000}}"#).is_err());
        assert!(translated(r#"{"memory":{"limit":2,"swap":1}}"#).is_err());
    }

    #[test]
    fn a_limit_that_would_be_ignored_is_refused_by_its_name() {
        for (json, field) in [
            (r#"{"cpu":{"realtimeRuntime":-1}}"#, "cpu.realtimeRuntime"),
            (r#"{"cpu":{"cpus":"0-"}}"#, "cpu.cpus"),
            (r#"{"blockIO":{"leafWeight":5}}"#, "blockIO.leafWeight"),
            (
                r#"{"blockIO":{"weightDevice":[{"leafWeight":5}]}}"#,
                "blockIO.weightDevice.leafWeight",
            ),
        ] {
            let error = translated(json).unwrap_err().to_string();
            let start = format!("config.json: linux.resources.{field}");
            assert!(error.starts_with(&start), "{error}");
        }
    }
}
