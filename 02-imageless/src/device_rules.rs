//! `linux.resources.devices`: which devices a container may use even if it
//! could make them, in the library's terms.

use anyhow::{Context, Result, bail};
use namespaces::cgroup::{DeviceKind, DeviceRule, MKNOD, READ, WRITE};
use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType, LinuxResources};

const ALL: u32 = READ | WRITE | MKNOD;

/// Devices that every container may use, whatever the configuration says: those
/// in its /dev and its terminals.
///
/// Source: runtime-spec: config-linux.md, "Default Devices"; the list of runc
const ALWAYS_ALLOWED: [(u32, Option<u32>); 8] = [
    (1, Some(3)),
    (1, Some(5)),
    (1, Some(7)),
    (1, Some(8)),
    (1, Some(9)),
    (5, Some(0)),
    (5, Some(2)),
    (136, None),
];

/// Translates `linux.resources.devices`.
///
/// # Errors
/// Names the rule with a type, number or access that does not exist.
///
/// Source: runtime-spec: config-linux.md, "Allowed Device list"
pub(crate) fn plan(resources: &LinuxResources) -> Result<Vec<DeviceRule>> {
    let rules = resources.devices().as_deref().unwrap_or_default();
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let named = |(i, rule)| {
        let field = || format!("config.json: linux.resources.devices[{i}]");
        device_rule(rule).with_context(field)
    };
    let rules = rules.iter().enumerate().map(named);
    rules.chain(always_allowed().map(Ok)).collect()
}

fn always_allowed() -> impl Iterator<Item = DeviceRule> {
    // Making a device's file is harmless as long as it cannot be opened.
    let make = [DeviceKind::Char, DeviceKind::Block].map(|kind| DeviceRule {
        allow: true,
        kind: Some(kind),
        major: None,
        minor: None,
        access: MKNOD,
    });
    let open = ALWAYS_ALLOWED.map(|(major, minor)| DeviceRule {
        allow: true,
        kind: Some(DeviceKind::Char),
        major: Some(major),
        minor,
        access: ALL,
    });
    make.into_iter().chain(open)
}

fn device_rule(rule: &LinuxDeviceCgroup) -> Result<DeviceRule> {
    let kind = match rule.typ().unwrap_or_default() {
        LinuxDeviceType::A => None,
        LinuxDeviceType::B => Some(DeviceKind::Block),
        LinuxDeviceType::C | LinuxDeviceType::U => Some(DeviceKind::Char),
        LinuxDeviceType::P => bail!("type: \"p\" is not a device"),
    };
    let access = rule.access().as_deref().filter(|access| !access.is_empty());
    Ok(DeviceRule {
        allow: rule.allow(),
        kind,
        major: number(rule.major()).context("major: too large")?,
        minor: number(rule.minor()).context("minor: too large")?,
        access: access.map_or(Ok(ALL), bits)?,
    })
}

/// A negative number means all of them, as engines write it.
fn number(number: Option<i64>) -> Result<Option<u32>> {
    let number = number.filter(|number| *number >= 0);
    Ok(number.map(u32::try_from).transpose()?)
}

fn bits(access: &str) -> Result<u32> {
    access.chars().try_fold(0, |all, letter| match letter {
        'r' => Ok(all | READ),
        'w' => Ok(all | WRITE),
        'm' => Ok(all | MKNOD),
        _ => bail!("access: {letter:?} is not r, w or m"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(json: &str) -> Result<Vec<String>> {
        let rules = plan(&serde_json::from_str(json).unwrap())?;
        Ok(rules.iter().map(|r| format!("{} {r}", r.allow)).collect())
    }

    #[test]
    fn the_default_devices_stay_allowed_after_deny_all() {
        let deny = r#"{"devices":[{"allow":false,"access":"rwm"}]}"#;
        let lines = lines(deny).unwrap();
        assert_eq!(lines[0], "false a *:* rwm");
        assert!(lines[1..].contains(&"true c 1:3 rwm".to_owned()));
    }

    #[test]
    fn without_rules_nothing_is_changed() {
        assert!(lines(r#"{"devices":[]}"#).unwrap().is_empty());
    }

    #[test]
    fn an_access_that_does_not_exist_is_refused() {
        let error = lines(r#"{"devices":[{"allow":true,"access":"x"}]}"#);
        let error = format!("{:#}", error.unwrap_err());
        assert!(
            error
                .starts_with("config.json: linux.resources.devices[0]: access"),
            "{error}"
        );
    }
}
