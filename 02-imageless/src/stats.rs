//! What a container uses, in the shape that runc has given to `events --stats`.
//! Engines read it, so its names stay also where the kernel's are better.

use namespaces::cgroup::{
    CpuUsage, IoUsage, Limit, MemoryUsage, PidsUsage, Usage,
};
use serde_json::{Map, Value, json};

/// Gives the `data` of an event. What the kernel does not count is left out.
///
/// Source: runc's types/events.go
pub(crate) fn stats(usage: &Usage) -> Value {
    let hugetlb = usage.hugetlb.iter().map(|size| {
        let numbers =
            json!({"usage": size.current, "failcnt": size.limit_hits});
        (size.page_size.clone(), numbers)
    });
    json!({
        "cpu": usage.cpu.as_ref().map(cpu),
        "memory": usage.memory.as_ref().map(memory),
        "pids": usage.pids.as_ref().map(pids),
        "blkio": blkio(&usage.io),
        "hugetlb": hugetlb.collect::<Map<_, _>>(),
        "intel_rdt": {},
        "network_interfaces": null,
    })
}

/// Times in nanoseconds.
fn cpu(cpu: &CpuUsage) -> Value {
    json!({
        "usage": {
            "total": cpu.total.as_nanos() as u64,
            "kernel": cpu.system.as_nanos() as u64,
            "user": cpu.user.as_nanos() as u64,
        },
        "throttling": {
            "periods": cpu.periods,
            "throttledPeriods": cpu.throttled_periods,
            "throttledTime": cpu.throttled.as_nanos() as u64,
        },
    })
}

fn memory(memory: &MemoryUsage) -> Value {
    json!({
        "cache": memory.file,
        "usage": {
            "limit": number(memory.limit),
            "usage": memory.current,
            "max": memory.peak,
            "failcnt": memory.limit_hits,
        },
        "swap": {"usage": memory.swap},
        "raw": memory.stat,
    })
}

/// No limit is 0, and not the largest number as for memory.
fn pids(pids: &PidsUsage) -> Value {
    let limit = match pids.limit {
        Limit::At(number) => number,
        Limit::Max => 0,
    };
    json!({"current": pids.current, "limit": limit})
}

fn number(limit: Limit) -> u64 {
    match limit {
        Limit::At(number) => number,
        Limit::Max => u64::MAX,
    }
}

fn blkio(disks: &[IoUsage]) -> Value {
    let row = |disk: &IoUsage, op: &str, value: u64| {
        let (major, minor) = (disk.disk.major, disk.disk.minor);
        json!({"major": major, "minor": minor, "op": op, "value": value})
    };
    let table = |read: fn(&IoUsage) -> u64, write: fn(&IoUsage) -> u64| {
        let both = disks.iter().flat_map(|disk| {
            [row(disk, "Read", read(disk)), row(disk, "Write", write(disk))]
        });
        both.collect::<Vec<_>>()
    };
    json!({
        "ioServiceBytesRecursive":
            table(|disk| disk.read_bytes, |disk| disk.write_bytes),
        "ioServicedRecursive": table(|disk| disk.reads, |disk| disk.writes),
    })
}
