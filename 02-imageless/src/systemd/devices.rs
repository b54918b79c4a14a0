//! Rules for devices in systemd's words. On v1 it writes them anew when it is
//! reloaded; on v2 its BPF program and ours both have a say, and a device that
//! one of them denies is denied.

use super::properties::{Properties, Property};
use anyhow::{Result, bail};
use namespaces::cgroup::{DeviceKind, DeviceRule, MKNOD, READ, Version, WRITE};
use std::collections::BTreeMap;

/// Translates rules. With others than those that it has words for systemd is
/// told nothing. It touches nothing then on v2; on v1 it would allow everything
/// when it is reloaded.
///
/// # Errors
/// Such rules on v1.
///
/// Source: systemd.resource-control(5), "DeviceAllow="
pub(crate) fn of_devices(
    rules: &[DeviceRule],
    version: Version,
) -> Result<Properties> {
    let allowed = match Meaning::of(rules) {
        Meaning::Only(allowed) => allowed,
        Meaning::Everything => return Ok(vec![]),
        Meaning::Other if version == Version::V2 => return Ok(vec![]),
        Meaning::Other => bail!(
            "config.json: linux.resources.devices: with --systemd-cgroup on \
             cgroup v1 first deny all, then allow some by kind and number: \
             systemd has no words for other rules"
        ),
    };
    // Of two accesses to one device, systemd keeps the second only.
    let mut accesses = BTreeMap::<_, u32>::new();
    for rule in allowed {
        for name in names(rule) {
            *accesses.entry(name).or_default() |= rule.access;
        }
    }
    let pairs = accesses.into_iter().map(|(name, bits)| (name, letters(bits)));
    let strict = Property::Text("strict".to_owned());
    Ok(vec![
        ("DevicePolicy".to_owned(), strict),
        ("DeviceAllow".to_owned(), Property::Pairs(pairs.collect())),
    ])
}

/// What rules mean in the end.
#[derive(Debug, PartialEq, Eq)]
enum Meaning<'a> {
    /// All is allowed.
    Everything,
    /// These are, and nothing else.
    Only(&'a [DeviceRule]),
    /// Systemd has no words for it.
    Other,
}

impl<'a> Meaning<'a> {
    fn of(rules: &'a [DeviceRule]) -> Self {
        let is_for_all = |rule: &DeviceRule| {
            rule.kind.is_none() && rule.major.is_none() && rule.minor.is_none()
        };
        // What comes before it has no effect.
        let last = rules.iter().rposition(is_for_all);
        let denies_all = last.is_some_and(|last| !rules[last].allow);
        let rest = &rules[last.map_or(0, |last| last + 1)..];
        let has_name = |r: &DeviceRule| r.major.is_some() || r.minor.is_none();
        if rest.iter().any(|rule| !rule.allow) {
            return Self::Other;
        }
        match denies_all {
            true if rest.iter().all(has_name) => Self::Only(rest),
            true => Self::Other,
            false => Self::Everything,
        }
    }
}

fn letters(access: u32) -> String {
    let letters = [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')];
    let letters = letters.into_iter();
    letters
        .filter_map(|(bit, letter)| (access & bit != 0).then_some(letter))
        .collect()
}

/// A device by its number, all of a driver by the driver's, or all.
fn names(rule: &DeviceRule) -> Vec<String> {
    let kinds = match rule.kind {
        Some(DeviceKind::Block) => &["block"][..],
        Some(DeviceKind::Char) => &["char"],
        None => &["block", "char"],
    };
    let name = |kind: &&str| match (rule.major, rule.minor) {
        (None, _) => format!("{kind}-*"),
        (Some(major), None) => format!("{kind}-{major}"),
        (Some(major), Some(minor)) => format!("/dev/{kind}/{major}:{minor}"),
    };
    kinds.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (rule(DeviceKind::Char, Some(136), None), "char-136"),
            (rule(DeviceKind::Block, Some(1), None), "block-1"),
            (rule(DeviceKind::Char, Some(1), Some(3)), "/dev/char/1:3"),
        ] {
            assert_eq!(names(&rule), [name]);
        }
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
        let told = of_devices(&rules, Version::V1).unwrap();
        let pairs = [("/dev/char/1:3", "rw"), ("/dev/char/1:5", "rwm")]
            .map(|(name, access)| (name.to_owned(), access.to_owned()));
        assert!(
            matches!(&told[1].1, Property::Pairs(told) if *told == pairs),
            "{told:?}"
        );
    }

    #[test]
    fn rules_mean_what_follows_the_last_one_for_all() {
        let rule = |allow, number: Option<(Option<u32>, u32)>| DeviceRule {
            allow,
            kind: number.map(|_| DeviceKind::Char),
            major: number.and_then(|(major, _)| major),
            minor: number.map(|(_, minor)| minor),
            access: READ,
        };
        let null = Some((Some(1), 3));
        let deny_all = [rule(false, None), rule(true, null)];
        assert_eq!(Meaning::of(&deny_all), Meaning::Only(&deny_all[1..]));
        for (rules, meaning) in [
            (&[][..], Meaning::Everything),
            (&[rule(false, None), rule(true, None)], Meaning::Everything),
            (&[rule(true, null)], Meaning::Everything),
            (&[rule(false, null)], Meaning::Other),
            (&[rule(false, None), rule(false, null)], Meaning::Other),
            (&[rule(false, None), rule(true, Some((None, 3)))], Meaning::Other),
        ] {
            assert_eq!(Meaning::of(rules), meaning, "{rules:?}");
        }
        let other = [rule(false, null)];
        assert!(of_devices(&other, Version::V2).unwrap().is_empty());
        let refused = of_devices(&other, Version::V1).unwrap_err().to_string();
        assert!(refused.contains("linux.resources.devices"), "{refused}");
    }
}
