//! `linux.resources.devices`: which devices a container may use even if it
//! could make them. Cgroup v1 has a controller for that; v2 wants a BPF
//! program.

use anyhow::{Context, Result, bail};
use namespaces::cgroup::Cgroup;
use oci_spec::runtime::{LinuxDeviceCgroup, LinuxResources};
use std::fs::OpenOptions;
use std::io::Write;

/// Devices that every container may use, whatever the configuration says: those
/// in its /dev, its terminals, and making (not opening) any.
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

/// One rule; the later one wins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DeviceRule {
    allow: bool,
    /// `TYPE MAJOR:MINOR ACCESS`
    line: String,
}

/// Translates `linux.resources.devices`.
///
/// Source: runtime-spec: config-linux.md, "Allowed Device list"
pub(crate) fn plan(resources: &LinuxResources) -> Vec<DeviceRule> {
    let rules = resources.devices().as_deref().unwrap_or_default();
    if rules.is_empty() {
        return Vec::new();
    }
    let always = ALWAYS_ALLOWED
        .iter()
        .map(|line| DeviceRule { allow: true, line: (*line).to_owned() });
    rules.iter().map(device_rule).chain(always).collect()
}

fn device_rule(rule: &LinuxDeviceCgroup) -> DeviceRule {
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
    DeviceRule {
        allow: rule.allow(),
        line: format!("{typ} {major}:{minor} {access}"),
    }
}

/// Tells the kernel which devices the processes of a cgroup may open and make.
///
/// Source: Documentation/admin-guide/cgroup-v1/devices.rst
pub(crate) fn apply(cgroup: &Cgroup, rules: &[DeviceRule]) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let Some(dir) = cgroup
        .paths()
        .into_iter()
        .find(|dir| dir.join("devices.list").exists())
    else {
        bail!(
            "config.json: linux.resources.devices: not supported yet without \
             the devices controller of cgroup v1"
        );
    };
    let open = |verb: &str| {
        let file = dir.join(format!("devices.{verb}"));
        OpenOptions::new()
            .write(true)
            .open(&file)
            .with_context(|| format!("open({file:?})"))
    };
    let (mut allow, mut deny) = (open("allow")?, open("deny")?);
    for rule in rules {
        let file = if rule.allow { &mut allow } else { &mut deny };
        // One rule a write, as the kernel wants it.
        file.write_all(rule.line.as_bytes()).with_context(|| {
            format!("config.json: linux.resources.devices: {:?}", rule.line)
        })?;
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
    fn the_default_devices_stay_allowed_after_deny_all() {
        let lines =
            plan(&resources(r#"{"devices":[{"allow":false,"access":"rwm"}]}"#));
        assert_eq!(
            lines[0],
            DeviceRule { allow: false, line: "a *:* rwm".into() }
        );
        let null = DeviceRule { allow: true, line: "c 1:3 rwm".into() };
        assert!(lines[1..].contains(&null));
    }
}
