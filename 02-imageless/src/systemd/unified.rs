//! `linux.resources.unified` gives limits by files of v2. systemd writes most of
//! these files itself, each time that it is reloaded: so what they are to hold
//! has to be told to it in its words.

use anyhow::{Context, Result};
use namespaces::cgroup::{CpuQuota, CpuWeight, IoWeight, Limit, Limits};
use std::str::FromStr;

/// Gives the same limits, each that a file and a field can give by its field. A
/// file has the last word.
///
/// # Errors
/// A value that we cannot read, though the kernel may: such as `64M`.
///
/// Source: runtime-spec: config-linux.md, "Unified"
pub(super) fn by_field(limits: &Limits) -> Result<Limits> {
    let mut all = limits.clone();
    for (file, value) in &limits.unified {
        take(&mut all, file, value.trim()).with_context(|| {
            format!(
                "config.json: linux.resources.unified[{file:?}]: {value:?}: \
                 systemd has to be told, and takes plain numbers, or max"
            )
        })?;
    }
    Ok(all)
}

/// `None`: the value is none that we know.
fn take(all: &mut Limits, file: &str, value: &str) -> Option<()> {
    match file {
        "memory.max" => all.memory = Some(amount(value)?),
        "memory.high" => all.memory_high = Some(amount(value)?),
        "memory.low" => all.memory_low = Some(amount(value)?),
        "memory.min" => drop(amount(value)?),
        "memory.swap.max" => all.swap = Some(amount(value)?),
        "pids.max" => all.pids = Some(amount(value)?),
        "cpu.max" => {
            let before = all.cpu_quota.map(|quota| quota.period);
            all.cpu_quota = Some(quota(value, before)?);
        }
        "cpu.weight" => all.cpu_weight = Some(weight(value)?),
        "cpu.idle" => all.cpu_idle = Some(number::<u8>(value)? != 0),
        "cpuset.cpus" => all.cpus = Some(number(value)?),
        "cpuset.mems" => all.mems = Some(number(value)?),
        // It may have lines for single disks only.
        "io.weight" => {
            all.io_weight = default_weight(value).or(all.io_weight);
        }
        // A file that systemd leaves alone.
        _ => {}
    }
    Some(())
}

/// How much memory is never taken: for that there is a file, and no field.
pub(super) fn memory_min(limits: &Limits) -> Option<Limit> {
    amount(limits.unified.get("memory.min")?.trim())
}

fn number<T: FromStr>(value: &str) -> Option<T> {
    value.parse().ok()
}

fn amount(value: &str) -> Option<Limit> {
    match value {
        "max" => Some(Limit::Max),
        _ => number(value).map(Limit::At),
    }
}

/// Reads `QUOTA`, which leaves the period as it is, or `QUOTA PERIOD`.
///
/// Source: cgroup-v2.rst, "cpu.max"
fn quota(value: &str, period: Option<u64>) -> Option<CpuQuota> {
    const PERIOD_OF_THE_KERNEL: u64 = 100_000;
    let mut words = value.split_whitespace();
    let quota = amount(words.next()?)?;
    let before = period.unwrap_or(PERIOD_OF_THE_KERNEL);
    let period = words.next().map_or(Some(before), number)?;
    Some(CpuQuota { quota, period })
}

/// Not 0, which to systemd means idle.
fn weight(value: &str) -> Option<CpuWeight> {
    let weight = number(value).filter(|weight| (1..=10_000).contains(weight));
    weight.map(CpuWeight::Weight)
}

/// Reads `WEIGHT` or `default WEIGHT`; there may be lines for single disks.
///
/// Source: cgroup-v2.rst, "io.weight"
fn default_weight(value: &str) -> Option<IoWeight> {
    let weight = |line: &str| number(line.trim_start_matches("default").trim());
    value.lines().find_map(weight).map(IoWeight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_by_file_is_one_by_field_and_has_the_last_word() {
        let files = [
            ("memory.max", "4096"),
            ("memory.high", "max\n"),
            ("cpu.max", "5000"),
            ("cpu.weight", "7"),
            ("cpu.idle", "0"),
            ("cpuset.cpus", "0-1"),
            ("io.weight", "8:0 5\ndefault 200"),
            ("hugetlb.2MB.max", "0"),
        ];
        let files = files.map(|(file, value)| (file.into(), value.into()));
        let limits = Limits {
            memory: Some(Limit::Max),
            unified: files.into(),
            ..Limits::default()
        };
        let expected = Limits {
            memory: Some(Limit::At(4096)),
            memory_high: Some(Limit::Max),
            cpu_quota: quota("5000", None),
            cpu_weight: Some(CpuWeight::Weight(7)),
            cpu_idle: Some(false),
            cpus: Some("0-1".parse().unwrap()),
            io_weight: Some(IoWeight(200)),
            ..limits.clone()
        };
        assert_eq!(by_field(&limits).unwrap(), expected);
    }

    #[test]
    fn a_quota_alone_keeps_the_period() {
        let kept = quota("5000", Some(200_000)).unwrap();
        assert_eq!(kept, quota("5000 200000", None).unwrap());
    }

    #[test]
    fn a_value_that_systemd_cannot_be_told_names_its_file() {
        for (file, value) in [
            ("memory.max", "64M"),
            ("pids.max", "many"),
            ("cpu.weight", "0"),
            ("cpuset.cpus", "all"),
        ] {
            let unified = [(file.into(), value.into())].into();
            let limits = Limits { unified, ..Limits::default() };
            let refused = by_field(&limits).unwrap_err().to_string();
            let field = format!("linux.resources.unified[{file:?}]: {value:?}");
            assert!(refused.contains(&field), "{refused}");
        }
    }
}
