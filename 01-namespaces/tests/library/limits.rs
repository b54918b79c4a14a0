//! Limits, each by what it does to a process.

use crate::group::Group;
use namespaces::cgroup::{CpuQuota, CpuWeight, Limit, Limits, Version};
use std::time::Duration;
use testkit::{Need, eventually, requires};

#[test]
fn a_cpuset_is_where_the_process_may_run() {
    if !requires(&[Need::Root]) {
        return;
    }
    let (cpus, mems) = ("0".parse().ok(), "0".parse().ok());
    let mut group = Group::with(&Limits { cpus, mems, ..Limits::default() });
    let allowed = group.run("grep _allowed_list: /proc/self/status");
    assert!(allowed.contains("Cpus_allowed_list:\t0\n"), "{allowed}");
    assert!(allowed.contains("Mems_allowed_list:\t0\n"), "{allowed}");
}

#[test]
fn limits_are_read_back_as_they_were_set() {
    if !requires(&[Need::Root]) {
        return;
    }
    let asked = Limits {
        memory: Some(Limit::At(32 << 20)),
        pids: Some(Limit::At(9)),
        cpu_quota: Some(CpuQuota { quota: Limit::At(5_000), period: 10_000 }),
        cpus: "0".parse().ok(),
        mems: "0".parse().ok(),
        ..Limits::default()
    };
    let mut group = Group::with(&asked);
    let limits = group.cgroup.limits().unwrap();
    assert_eq!((limits.memory, limits.pids), (asked.memory, asked.pids));
    assert_eq!(limits.cpu_quota, asked.cpu_quota);
    assert_eq!((limits.cpus, limits.mems), (asked.cpus, asked.mems));
    let weight = limits.cpu_weight.map(CpuWeight::weight);
    assert_eq!(weight, Some(100), "as it was made");
    assert_eq!(group.run("true"), "");
}

#[test]
fn a_processor_quota_holds_processes_back_and_counts_it() {
    if !requires(&[Need::Root]) {
        return;
    }
    let cpu_quota = Some(CpuQuota { quota: Limit::At(2_000), period: 10_000 });
    let mut group = Group::with(&Limits { cpu_quota, ..Limits::default() });
    group.start("while :; do :; done");
    let cpu = || group.cgroup.usage().unwrap().cpu.unwrap();
    let limit = Duration::from_secs(20);
    // The time used is added up a little later than the periods are counted.
    let used = Duration::from_millis(6);
    let cpu = eventually(limit, "the kernel throttles", || {
        Some(cpu()).filter(|c| c.throttled_periods >= 3 && c.total >= used)
    });
    assert!(cpu.throttled > Duration::ZERO, "{cpu:?}");
    assert!(cpu.periods >= cpu.throttled_periods, "{cpu:?}");
    assert!(cpu.total < limit, "{cpu:?}");
}

/// chrt(1) says which call failed, and exits.
#[test]
fn without_real_time_of_its_own_nobody_gets_a_real_time_policy() {
    if !requires(&[Need::Root, Need::CgroupV1]) {
        return;
    }
    let script = "chrt --fifo 1 echo real-time 2>&1";
    assert!(!Group::new().run(script).contains("real-time\n"));
    let limits = Limits {
        rt_period: Some(500_000),
        rt_runtime: Some(1000),
        ..Limits::default()
    };
    assert_eq!(Group::with(&limits).run(script), "real-time\n");
}

#[test]
fn at_the_pids_limit_fork_fails_and_is_counted() {
    if !requires(&[Need::Root]) {
        return;
    }
    let pids = Some(Limit::At(1));
    let mut group = Group::with(&Limits { pids, ..Limits::default() });
    let said = group.run("sleep 1000 & echo forked");
    assert!(said.contains("fork"), "{said}");
    assert!(!said.contains("forked"), "{said}");
    let usage = group.cgroup.usage().unwrap().pids.unwrap();
    assert_eq!((usage.limit, usage.limit_hits), (Limit::At(1), 1));
}

#[test]
fn above_the_memory_limit_the_kernel_kills_and_counts_it() {
    if !requires(&[Need::Root]) {
        return;
    }
    let memory = Some(Limit::At(20 << 20));
    let mut group = Group::with(&Limits { memory, ..Limits::default() });
    let hungry = "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo lived";
    assert!(!group.run(hungry).contains("lived"));
    let usage = group.cgroup.usage().unwrap().memory.unwrap();
    assert!(usage.oom_kills >= 1 && usage.limit_hits >= 1, "{usage:?}");
    assert_eq!(usage.limit, Limit::At(20 << 20));
    assert!(usage.peak.unwrap() <= 20 << 20, "{usage:?}");
}

#[test]
fn memory_with_swap_is_raised_and_lowered_in_whatever_order_is_right() {
    if !requires(&[Need::Root]) {
        return;
    }
    let group = Group::new();
    let set = |bytes| {
        let (memory, swap) = (Some(Limit::At(bytes)), Some(Limit::At(0)));
        group.cgroup.set(&Limits { memory, swap, ..Limits::default() })
    };
    for megabytes in [64, 256, 32] {
        set(megabytes << 20).unwrap();
        let memory = group.cgroup.usage().unwrap().memory.unwrap();
        assert_eq!(memory.limit, Limit::At(megabytes << 20));
    }
}

#[test]
fn a_share_of_the_processor_is_said_in_either_unit() {
    if !requires(&[Need::Root]) {
        return;
    }
    let group = Group::new();
    let (file, normal, twice) = match group.cgroup.version() {
        Version::V1 => ("cpu.shares", "1024\n", "2048\n"),
        Version::V2 => ("cpu.weight", "100\n", "174\n"),
    };
    let paths = group.cgroup.paths();
    let path = paths.iter().map(|dir| dir.join(file)).find(|p| p.exists());
    let path = path.unwrap();
    for (weight, text) in
        [(CpuWeight::Shares(2048), twice), (CpuWeight::Weight(100), normal)]
    {
        let cpu_weight = Some(weight);
        let limits = Limits { cpu_weight, ..Limits::default() };
        group.cgroup.set(&limits).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}
