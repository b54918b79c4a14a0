//! The container's cgroup: `linux.cgroupsPath`, and `linux.resources` in the library's units.
//! Each of them is set, or refused by its name: a limit that is silently left out is no limit.

use crate::id::Id;
use anyhow::{Context, Result, bail};
use namespaces::cgroup::{Cgroup, CpuQuota, Limit, Limits};
use namespaces::process::{kill, pidfd_open};
use oci_spec::runtime::{
    Linux, LinuxCpu, LinuxDeviceCgroup, LinuxMemory, LinuxResources,
};
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::fd::AsFd;
use std::path::{Component, Path, PathBuf};

/// What has to be removed with the container; kept in `state.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Counted from the top of each hierarchy, absolute.
    pub(crate) path: PathBuf,
    /// Directories above it that we are about to make ourselves, the lowest first.
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
                "config.json: linux.cgroupsPath: {}: not a cgroup below the top",
                path.display()
            );
        }
        let parents =
            Cgroup::open(&path)?.paths().flat_map(missing_parents).collect();
        Ok(Self { path, parents })
    }

    /// Makes the cgroup and sets its limits; if that fails, nothing of it stays.
    ///
    /// # Errors
    /// EBUSY: it has processes already. Others as the kernel says.
    pub(crate) fn create(
        &self,
        limits: &Limits,
        devices: &[String],
    ) -> Result<Cgroup> {
        let cgroup = self.try_create(limits, devices);
        if cgroup.is_err() {
            self.remove_parents();
        }
        cgroup
    }

    /// On failure the value is dropped, which removes the cgroup itself.
    fn try_create(
        &self,
        limits: &Limits,
        devices: &[String],
    ) -> Result<Cgroup> {
        let cgroup = Cgroup::create(&self.path)
            .context("config.json: linux.cgroupsPath")?;
        cgroup.set(limits).context("config.json: linux.resources")?;
        set_devices(&cgroup, devices)?;
        Ok(cgroup)
    }

    /// Kills what is left in it, and removes it with the directories above it that we made.
    pub(crate) fn remove(&self) -> Result<()> {
        let mut cgroup = Cgroup::open(&self.path)?;
        if cgroup.paths().all(Path::exists) {
            cgroup.kill()?;
        }
        cgroup.remove()?;
        self.remove_parents();
        Ok(())
    }

    fn remove_parents(&self) {
        for parent in &self.parents {
            // EBUSY or ENOTEMPTY: another container uses it now. ENOENT: another one has removed it.
            let _ = fs::remove_dir(parent);
        }
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
        cpu_shares: cpu
            .and_then(|cpu| cpu.shares())
            .filter(|shares| *shares != 0),
    })
}

/// 0 means "not set" to every engine; a negative number means "as much as there is".
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

/// Devices that every container may use, whatever the configuration says: those in its /dev, its terminals, and
/// making (not opening) any.
///
/// Source: runtime-spec: config-linux.md, "Default Devices"; the list of runc
const ALWAYS_ALLOWED: [&str; 10] = [
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
];

/// Translates `linux.resources.devices` to lines `allow|deny TYPE MAJOR:MINOR ACCESS`, the later one winning.
///
/// Source: runtime-spec: config-linux.md, "Allowed Device list"
pub(crate) fn devices(resources: &LinuxResources) -> Vec<String> {
    let rules = resources.devices().as_deref().unwrap_or_default();
    if rules.is_empty() {
        return Vec::new();
    }
    let always = ALWAYS_ALLOWED.iter().map(|line| format!("allow {line}"));
    rules.iter().map(device_rule).chain(always).collect()
}

fn device_rule(rule: &LinuxDeviceCgroup) -> String {
    let verb = if rule.allow() { "allow" } else { "deny" };
    let typ = rule.typ().unwrap_or_default().as_str().to_owned();
    let number = |number: Option<i64>| match number {
        Some(number) if number >= 0 => number.to_string(),
        Some(_) | None => "*".to_owned(),
    };
    let (major, minor) = (number(rule.major()), number(rule.minor()));
    let access = rule
        .access()
        .as_deref()
        .filter(|access| !access.is_empty())
        .unwrap_or("rwm");
    format!("{verb} {typ} {major}:{minor} {access}")
}

/// Source: Documentation/admin-guide/cgroup-v1/devices.rst
fn set_devices(cgroup: &Cgroup, rules: &[String]) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let Some(dir) =
        cgroup.paths().find(|dir| dir.join("devices.list").exists())
    else {
        bail!(
            "config.json: linux.resources.devices: not supported yet without the devices controller of cgroup v1"
        );
    };
    for rule in rules {
        let (verb, line) = rule
            .split_once(' ')
            .expect("`devices` puts a verb before each line");
        let file = dir.join(format!("devices.{verb}"));
        fs::write(&file, line)
            .with_context(|| format!("config.json: linux.resources.devices: write({file:?}, {line:?})"))?;
    }
    Ok(())
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

    #[test]
    fn the_default_devices_stay_allowed_after_deny_all() {
        let lines = devices(&resources(
            r#"{"devices":[{"allow":false,"access":"rwm"}]}"#,
        ));
        assert_eq!(lines[0], "deny a *:* rwm");
        assert!(lines[1..].contains(&"allow c 1:3 rwm".to_owned()));
    }

    #[test]
    fn a_cgroups_path_does_not_lead_out_of_the_hierarchy() {
        let linux: Linux =
            serde_json::from_str(r#"{"cgroupsPath":"/a/../../x"}"#).unwrap();
        assert!(Place::plan(&linux, &Id::parse("a").unwrap()).is_err());
    }
}
