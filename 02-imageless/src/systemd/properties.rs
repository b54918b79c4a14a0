//! Limits in systemd's words. It sets its own again whenever it is reloaded, so
//! each limit that it could take for its own has to be told to it; what it has
//! no word for, we write below it.

use namespaces::cgroup::{
    CpuQuota, DeviceKind, DeviceRule, Limit, Limits, MKNOD, READ, Version,
    WRITE,
};
use std::fs;

/// Names and values of a unit's properties.
pub(crate) type Properties = Vec<(String, Property)>;

pub(crate) use value::Property;

/// A value, as D-Bus carries it.
mod value {
    #![allow(missing_docs, reason = "the macro writes more than these")]
    use rustbus::dbus_variant_sig;
    dbus_variant_sig!(
        Property,
        Flag => bool;
        Number => u64;
        Text => String;
        Pids => Vec<u32>;
        Bits => Vec<u8>;
        Pairs => Vec<(String, String)>
    );
}

/// systemd's "no limit".
const INFINITY: u64 = u64::MAX;

/// Translates limits; those that are not given are not there.
///
/// Source: systemd.resource-control(5)
pub(crate) fn of_limits(limits: &Limits, version: Version) -> Properties {
    let number = |limit: Option<Limit>| limit.map(amount);
    let v2 = |value: Option<u64>| value.filter(|_| version == Version::V2);
    let v1 = |value: Option<u64>| value.filter(|_| version == Version::V1);
    let weight = limits.cpu_weight;
    let io_weight = limits.io_weight;
    let numbers = [
        ("MemoryMax", v2(number(limits.memory))),
        ("MemoryLimit", v1(number(limits.memory))),
        ("MemoryLow", v2(number(limits.memory_low))),
        ("MemoryHigh", v2(number(limits.memory_high))),
        ("MemorySwapMax", v2(number(limits.swap))),
        ("TasksMax", number(limits.pids)),
        ("CPUWeight", v2(weight.map(|weight| weight.weight()))),
        ("CPUShares", v1(weight.map(|weight| weight.shares()))),
        ("CPUQuotaPeriodUSec", limits.cpu_quota.map(|quota| quota.period)),
        ("CPUQuotaPerSecUSec", limits.cpu_quota.map(quota_per_second)),
        ("IOWeight", v2(io_weight.map(|weight| weight.0))),
        ("BlockIOWeight", v1(io_weight.map(|weight| weight.blkio()))),
    ];
    let lists =
        [("AllowedCPUs", &limits.cpus), ("AllowedMemoryNodes", &limits.mems)];
    let numbers = numbers.into_iter().filter_map(|(name, value)| {
        Some((name.to_owned(), Property::Number(value?)))
    });
    // systemd has no cpuset on v1.
    let lists = lists.into_iter().filter(|_| version == Version::V2);
    let lists = lists.filter_map(|(name, list)| {
        let bits = bits(list.as_ref()?.numbers());
        Some((name.to_owned(), Property::Bits(bits)))
    });
    numbers.chain(lists).collect()
}

fn amount(limit: Limit) -> u64 {
    match limit {
        Limit::At(number) => number,
        Limit::Max => INFINITY,
    }
}

/// Processor time for each second, which systemd rounds up to hundredths; we do
/// it, so that both have the same number.
fn quota_per_second(quota: CpuQuota) -> u64 {
    const SECOND: u64 = 1_000_000;
    const STEP: u64 = 10_000;
    match quota.quota {
        Limit::Max => INFINITY,
        Limit::At(quota_us) => {
            let us = quota_us.saturating_mul(SECOND) / quota.period.max(1);
            us.div_ceil(STEP) * STEP
        }
    }
}

/// A set of small numbers as bytes, the lowest first.
fn bits(numbers: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in numbers {
        let at = number as usize / 8;
        bytes.resize(bytes.len().max(at + 1), 0);
        bytes[at] |= 1 << (number % 8);
    }
    bytes
}

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
    let pairs = allowed.iter().flat_map(|rule| device(rule, &drivers));
    let strict = Property::Text("strict".to_owned());
    vec![
        ("DevicePolicy".to_owned(), strict),
        ("DeviceAllow".to_owned(), Property::Pairs(pairs.collect())),
    ]
}

/// A device by its number, all of a driver by the driver's name, or all.
fn device(rule: &DeviceRule, drivers: &str) -> Vec<(String, String)> {
    let kinds = match rule.kind {
        Some(DeviceKind::Block) => &["block"][..],
        Some(DeviceKind::Char) => &["char"],
        None => &["block", "char"],
    };
    let access = [(READ, 'r'), (WRITE, 'w'), (MKNOD, 'm')];
    let access: String = access
        .into_iter()
        .filter_map(|(bit, letter)| (rule.access & bit != 0).then_some(letter))
        .collect();
    let named = |kind: &&str| match (rule.major, rule.minor) {
        (None, _) => Some(format!("{kind}-*")),
        (Some(major), None) => {
            driver(drivers, kind, major).map(|name| format!("{kind}-{name}"))
        }
        (Some(major), Some(minor)) => {
            Some(format!("/dev/{kind}/{major}:{minor}"))
        }
    };
    kinds.iter().filter_map(named).map(|name| (name, access.clone())).collect()
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
    use namespaces::cgroup::CpuWeight;

    const DRIVERS: &str = "Character devices:\n  1 mem\n136 pts\n\n\
                           Block devices:\n  1 ramdisk\n254 virtblk\n";

    #[test]
    fn each_version_of_cgroups_has_its_own_words() {
        let limits = Limits {
            memory: Some(Limit::At(4096)),
            pids: Some(Limit::Max),
            cpu_weight: Some(CpuWeight::Shares(1024)),
            cpus: Some("0,9".parse().unwrap()),
            ..Limits::default()
        };
        let words = |version| {
            let all = of_limits(&limits, version);
            all.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let v1 = ["MemoryLimit", "TasksMax", "CPUShares"];
        assert_eq!(words(Version::V1), v1);
        let v2 = ["MemoryMax", "TasksMax", "CPUWeight", "AllowedCPUs"];
        assert_eq!(words(Version::V2), v2);
        assert_eq!(bits([0, 9].into_iter()), [1, 2]);
    }

    #[test]
    fn a_quota_is_the_time_in_a_second() {
        let per_second = |quota, period| {
            quota_per_second(CpuQuota { quota: Limit::At(quota), period })
        };
        assert_eq!(per_second(50_000, 100_000), 500_000);
        assert_eq!(per_second(1, 3), 340_000);
    }

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
            let expected = [(name.to_owned(), "rm".to_owned())];
            assert_eq!(device(&rule, DRIVERS), expected);
        }
        let unknown = rule(DeviceKind::Char, Some(7), None);
        assert!(device(&unknown, DRIVERS).is_empty());
    }
}
