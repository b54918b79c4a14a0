//! Rules for devices in systemd's words. On v1 it writes them anew when it is
//! reloaded; on v2 its BPF program and ours both have a say, and a device that
//! one of them denies is denied.

use super::properties::{Properties, Property};
use namespaces::cgroup::{DeviceKind, DeviceRule, MKNOD, READ, WRITE};
use std::collections::BTreeMap;
use std::fs;

/// Translates rules that deny everything and then allow some. With others
/// systemd is told nothing, and touches nothing.
///
/// Source: systemd.resource-control(5), "DeviceAllow="
pub(crate) fn of_devices(rules: &[DeviceRule]) -> Properties {
    let Some((first, allowed)) = rules.split_first() else { return vec![] };
    let all = |rule: &DeviceRule| {
        rule.kind.is_none() && rule.major.is_none() && rule.minor.is_none()
    };
    let denies_all = !first.allow && all(first);
    if !denies_all || allowed.iter().any(|rule| !rule.allow || all(rule)) {
        return vec![];
    }
    // Drivers that are not there have no devices to open.
    let drivers = fs::read_to_string("/proc/devices").unwrap_or_default();
    // Of two accesses to one device, systemd keeps the second only.
    let mut accesses = BTreeMap::<_, u32>::new();
    for rule in allowed {
        for name in names(rule, &drivers) {
            *accesses.entry(name).or_default() |= rule.access;
        }
    }
    let pairs = accesses.into_iter().map(|(name, bits)| (name, letters(bits)));
    let strict = Property::Text("strict".to_owned());
    vec![
        ("DevicePolicy".to_owned(), strict),
        ("DeviceAllow".to_owned(), Property::Pairs(pairs.collect())),
    ]
}

fn letters(access: u32) -> String {
    let letters = [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')];
    let letters = letters.into_iter();
    letters
        .filter_map(|(bit, letter)| (access & bit != 0).then_some(letter))
        .collect()
}

/// A device by its number, all of a driver by the driver's name, or all.
fn names(rule: &DeviceRule, drivers: &str) -> Vec<String> {
    let kinds = match rule.kind {
        Some(DeviceKind::Block) => &["block"][..],
        Some(DeviceKind::Char) => &["char"],
        None => &["block", "char"],
    };
    let named = |kind: &&str| match (rule.major, rule.minor) {
        (None, _) => Some(format!("{kind}-*")),
        (Some(major), None) => {
            driver(drivers, kind, major).map(|name| format!("{kind}-{name}"))
        }
        (Some(major), Some(minor)) => {
            Some(format!("/dev/{kind}/{major}:{minor}"))
        }
    };
    kinds.iter().filter_map(named).collect()
}

/// Finds who has a major number.
///
/// Source: proc_devices(5)
fn driver(drivers: &str, kind: &str, major: u32) -> Option<String> {
    let (char, block) = drivers.split_once("Block devices:")?;
    let lines = if kind == "block" { block } else { char };
    let mut rows = lines.lines().filter_map(|line| line.trim().split_once(' '));
    let (_, name) = rows.find(|(number, _)| number.parse() == Ok(major))?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRIVERS: &str = "Character devices:\n  1 mem\n136 pts\n\n\
                           Block devices:\n  1 ramdisk\n254 virtblk\n";

    #[test]
    fn a_device_is_a_number_a_driver_or_all() {
        let rule = |kind, major, minor| DeviceRule {
            allow: true,
            kind: Some(kind),
            major,
            minor,
            access: READ | MKNOD,
        };
        for (rule, name) in [
            (rule(DeviceKind::Char, None, None), "char-*"),
            (rule(DeviceKind::Char, Some(136), None), "char-pts"),
            (rule(DeviceKind::Block, Some(1), None), "block-ramdisk"),
            (rule(DeviceKind::Char, Some(1), Some(3)), "/dev/char/1:3"),
        ] {
            assert_eq!(names(&rule, DRIVERS), [name]);
        }
        let unknown = rule(DeviceKind::Char, Some(7), None);
        assert!(names(&unknown, DRIVERS).is_empty());
    }

    #[test]
    fn what_several_rules_allow_of_a_device_is_told_at_once() {
        let null = |allow, access, minor| DeviceRule {
            allow,
            kind: allow.then_some(DeviceKind::Char),
            major: allow.then_some(1),
            minor,
            access,
        };
        let all = READ | WRITE | MKNOD;
        let rules = [
            null(false, all, None),
            null(true, READ, Some(3)),
            null(true, all, Some(5)),
            null(true, WRITE, Some(3)),
        ];
        let told = of_devices(&rules);
        let pairs = [("/dev/char/1:3", "rw"), ("/dev/char/1:5", "rwm")]
            .map(|(name, access)| (name.to_owned(), access.to_owned()));
        assert!(
            matches!(&told[1].1, Property::Pairs(told) if *told == pairs),
            "{told:?}"
        );
    }
}
