//! `linux.resources.unified` gives limits by files of v2. systemd writes most of
//! these files itself, each time that it is reloaded: so what they are to hold
//! has to be told to it in its words.

use namespaces::cgroup::{CpuQuota, CpuWeight, IoWeight, Limit, Limits};
use std::str::FromStr;

/// Gives the same limits, each that a file and a field can give by its field. A
/// file has the last word. What is no value of the file is passed over: the
/// kernel refuses it when it is written.
///
/// Source: runtime-spec: config-linux.md, "Unified"
pub(super) fn by_field(limits: &Limits) -> Limits {
    let mut all = limits.clone();
    for (file, value) in &limits.unified {
        let value = value.trim();
        match file.as_str() {
            "memory.max" => replace(&mut all.memory, amount(value)),
            "memory.high" => replace(&mut all.memory_high, amount(value)),
            "memory.low" => replace(&mut all.memory_low, amount(value)),
            "memory.swap.max" => replace(&mut all.swap, amount(value)),
            "pids.max" => replace(&mut all.pids, amount(value)),
            "cpu.max" => replace(&mut all.cpu_quota, quota(value)),
            "cpu.weight" => {
                let weight = number(value).map(CpuWeight::Weight);
                replace(&mut all.cpu_weight, weight);
            }
            "cpu.idle" => {
                replace(&mut all.cpu_idle, number::<u8>(value).map(|n| n != 0));
            }
            "cpuset.cpus" => replace(&mut all.cpus, number(value)),
            "cpuset.mems" => replace(&mut all.mems, number(value)),
            "io.weight" => {
                replace(&mut all.io_weight, default_weight(value));
            }
            // A file that systemd leaves alone.
            _ => {}
        }
    }
    all
}

/// How much memory is never taken: for that there is a file, and no field.
pub(super) fn memory_min(limits: &Limits) -> Option<Limit> {
    amount(limits.unified.get("memory.min")?.trim())
}

fn replace<T>(field: &mut Option<T>, value: Option<T>) {
    if value.is_some() {
        *field = value;
    }
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

/// Reads `QUOTA` or `QUOTA PERIOD`.
///
/// Source: cgroup-v2.rst, "cpu.max"
fn quota(value: &str) -> Option<CpuQuota> {
    const PERIOD_OF_THE_KERNEL: u64 = 100_000;
    let mut words = value.split_whitespace();
    let quota = amount(words.next()?)?;
    let period = words.next().map_or(Some(PERIOD_OF_THE_KERNEL), number)?;
    Some(CpuQuota { quota, period })
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
            ("pids.max", "many"),
            ("hugetlb.2MB.max", "0"),
        ];
        let files = files.map(|(file, value)| (file.into(), value.into()));
        let limits = Limits {
            memory: Some(Limit::Max),
            pids: Some(Limit::At(3)),
            unified: files.into(),
            ..Limits::default()
        };
        let expected = Limits {
            memory: Some(Limit::At(4096)),
            memory_high: Some(Limit::Max),
            cpu_quota: quota("5000 100000"),
            cpu_weight: Some(CpuWeight::Weight(7)),
            cpu_idle: Some(false),
            cpus: Some("0-1".parse().unwrap()),
            io_weight: Some(IoWeight(200)),
            ..limits.clone()
        };
        assert_eq!(by_field(&limits), expected);
    }
}
