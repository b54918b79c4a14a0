//! What isolate(1) tells at the end: whether a limit has killed, and with
//! `--stats` what was used. A command that is killed by the kernel looks like
//! one that somebody has killed; only the cgroup knows.

use namespaces::Result;
use namespaces::cgroup::{
    Cgroup, CpuUsage, IoUsage, Limit, MemoryUsage, PidsUsage, Version,
};

/// Lists what is to be told of a cgroup whose command has ended.
pub(crate) fn report(cgroup: &Cgroup, stats: bool) -> Result<Vec<String>> {
    let usage = cgroup.usage()?;
    let memory = usage.memory.as_ref();
    let oom = memory.and_then(|memory| oom_kill(memory, cgroup.version()));
    let mut lines: Vec<_> = oom.into_iter().collect();
    if stats {
        lines.extend(memory.map(memory_line));
        lines.extend(usage.cpu.map(cpu_line));
        lines.extend(usage.pids.map(pids_line));
        lines.extend(usage.io.iter().map(io_line));
    }
    Ok(lines)
}

fn oom_kill(memory: &MemoryUsage, version: Version) -> Option<String> {
    let file = match version {
        Version::V1 => "memory.oom_control",
        Version::V2 => "memory.events",
    };
    let limit = match memory.limit {
        Limit::At(bytes) => format!("memory limit {}", size(bytes)),
        Limit::Max => "the limit of a cgroup above".into(),
    };
    let kills = memory.oom_kills;
    (kills > 0).then(|| {
        format!(
            "the OOM killer ended a process: {limit} ({file}: oom_kill {kills})"
        )
    })
}

fn memory_line(memory: &MemoryUsage) -> String {
    let peak = memory.peak.map_or("unknown".into(), size);
    let (limit, hits) = (limit(memory.limit), memory.limit_hits);
    format!("memory: at most {peak} of {limit}, met the limit {hits} times")
}

fn cpu_line(cpu: CpuUsage) -> String {
    let CpuUsage { total, throttled, .. } = cpu;
    let (held, periods) = (cpu.throttled_periods, cpu.periods);
    format!(
        "cpu: {total:.1?}, held back in {held} of {periods} periods for \
         {throttled:.1?}"
    )
}

fn pids_line(pids: PidsUsage) -> String {
    let (limit, hits) = (pids.limit, pids.limit_hits);
    format!("pids: limit {limit}, refused {hits} forks")
}

fn io_line(io: &IoUsage) -> String {
    let (read, written) = (size(io.read_bytes), size(io.write_bytes));
    format!("io: {} read {read} and wrote {written}", io.disk)
}

fn limit(limit: Limit) -> String {
    match limit {
        Limit::At(bytes) => size(bytes),
        Limit::Max => "max".into(),
    }
}

/// Prints a size in the unit in which it was probably given.
fn size(bytes: u64) -> String {
    let units = [("G", 30), ("M", 20), ("K", 10)];
    let fits = |(_, shift): &(&str, u32)| {
        bytes != 0 && bytes.trailing_zeros() >= *shift
    };
    match units.into_iter().find(fits) {
        Some((unit, shift)) => format!("{}{unit}", bytes >> shift),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_told_as_it_was_given() {
        let sizes = [16 << 20, 3 << 30, 12_288, 4097, 0].map(size);
        assert_eq!(sizes, ["16M", "3G", "12K", "4097", "0"]);
    }
}
