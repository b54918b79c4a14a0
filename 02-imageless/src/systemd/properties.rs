//! Limits in systemd's words. It sets its own again whenever it is reloaded, so
//! each limit that it could take for its own has to be told to it; what it has
//! no word for, we write beside it.

use super::unified;
use anyhow::Result;
use namespaces::cgroup::{CpuQuota, Limit, Limits, Version};

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
pub(crate) fn of_limits(
    limits: &Limits,
    version: Version,
) -> Result<Properties> {
    let limits = &match version {
        Version::V1 => limits.clone(),
        Version::V2 => unified::by_field(limits)?,
    };
    let number = |limit: Option<Limit>| limit.map(amount);
    let v2 = |value: Option<u64>| value.filter(|_| version == Version::V2);
    let v1 = |value: Option<u64>| value.filter(|_| version == Version::V1);
    let weight = limits.cpu_weight;
    let io_weight = limits.io_weight;
    let numbers = [
        ("MemoryMax", v2(number(limits.memory))),
        ("MemoryLimit", v1(number(limits.memory))),
        ("MemoryMin", v2(number(unified::memory_min(limits)))),
        ("MemoryLow", v2(number(limits.memory_low))),
        ("MemoryHigh", v2(number(limits.memory_high))),
        ("MemorySwapMax", v2(number(limits.swap))),
        ("TasksMax", number(limits.pids)),
        ("CPUWeight", v2(weight_or_idle(limits))),
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
    Ok(numbers.chain(lists).collect())
}

/// systemd sets cpu.idle by a weight of 0, and takes it back by any other.
///
/// Source: systemd.resource-control(5), "CPUWeight=", systemd 252 (2022-10);
/// older ones refuse 0
fn weight_or_idle(limits: &Limits) -> Option<u64> {
    const IDLE: u64 = 0;
    const UNSET: u64 = u64::MAX;
    let weight = limits.cpu_weight.map(|weight| weight.weight());
    match limits.cpu_idle {
        Some(true) => Some(IDLE),
        Some(false) => weight.or(Some(UNSET)),
        None => weight,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use namespaces::cgroup::CpuWeight;

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
            let all = of_limits(&limits, version).unwrap();
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
}
