//! `linux.resources` in the library's units. Each limit is set, or refused by
//! its name: one that is silently left out is no limit.

use anyhow::{Result, bail};
use namespaces::cgroup::{CpuQuota, CpuWeight, Limit, Limits};
use oci_spec::runtime::{LinuxCpu, LinuxMemory, LinuxResources};

/// Translates `linux.resources.memory`, `.cpu` and `.pids`.
///
/// # Errors
/// Names a field that we could not honour.
///
/// Source: runtime-spec: config-linux.md, "Control groups"
pub(crate) fn limits(resources: &LinuxResources) -> Result<Limits> {
    let memory = resources.memory().as_ref().map(check_memory).transpose()?;
    let cpu = resources.cpu().as_ref().map(check_cpu).transpose()?;
    Ok(Limits {
        memory: memory.and_then(|memory| memory.limit()).and_then(limit),
        pids: resources.pids().as_ref().and_then(|pids| limit(pids.limit())),
        cpu_quota: cpu.and_then(quota),
        cpu_weight: cpu
            .and_then(|cpu| cpu.shares())
            .filter(|shares| *shares != 0)
            .map(CpuWeight::Shares),
        ..Limits::default()
    })
}

/// 0 means "not set" to every engine; a negative number means "as much as there
/// is".
fn limit(number: i64) -> Option<Limit> {
    match u64::try_from(number) {
        Ok(0) => None,
        Ok(number) => Some(Limit::At(number)),
        Err(_) => Some(Limit::Max),
    }
}

fn quota(cpu: &LinuxCpu) -> Option<CpuQuota> {
    const PERIOD_OF_THE_KERNEL: u64 = 100_000;
    let period = cpu.period().filter(|period| *period != 0);
    let quota = cpu.quota().and_then(limit);
    (quota.is_some() || period.is_some()).then(|| CpuQuota {
        quota: quota.unwrap_or(Limit::Max),
        period: period.unwrap_or(PERIOD_OF_THE_KERNEL),
    })
}

fn check_memory(memory: &LinuxMemory) -> Result<&LinuxMemory> {
    let refused = [
        ("reservation", memory.reservation().is_some_and(|n| n != 0)),
        ("swap", memory.swap().is_some_and(|n| n != 0)),
        ("swappiness", memory.swappiness().is_some()),
        ("disableOOMKiller", memory.disable_oom_killer() == Some(true)),
    ];
    refuse("memory", &refused)?;
    Ok(memory)
}

fn check_cpu(cpu: &LinuxCpu) -> Result<&LinuxCpu> {
    let refused = [
        ("cpus", cpu.cpus().as_ref().is_some_and(|cpus| !cpus.is_empty())),
        ("mems", cpu.mems().as_ref().is_some_and(|mems| !mems.is_empty())),
        ("realtimeRuntime", cpu.realtime_runtime().is_some_and(|n| n != 0)),
        ("realtimePeriod", cpu.realtime_period().is_some_and(|n| n != 0)),
        ("burst", cpu.burst().is_some_and(|n| n != 0)),
        ("idle", cpu.idle().is_some_and(|n| n != 0)),
    ];
    refuse("cpu", &refused)?;
    Ok(cpu)
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

    fn resources(json: &str) -> LinuxResources {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn zero_is_not_a_limit_and_minus_one_is_no_limit() {
        let limits = limits(&resources(
            r#"{"memory":{"limit":0},"pids":{"limit":-1},"cpu":{"quota":5000}}"#,
        ));
        let limits = limits.unwrap();
        assert_eq!((limits.memory, limits.pids), (None, Some(Limit::Max)));
        assert_eq!(
            limits.cpu_quota,
            Some(CpuQuota { quota: Limit::At(5000), period: 100_000 })
        );
    }

    #[test]
    fn a_limit_that_would_be_ignored_is_refused_by_its_name() {
        let error = limits(&resources(r#"{"cpu":{"cpus":"0"}}"#))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "config.json: linux.resources.cpu.cpus: not supported yet"
        );
    }
}
