//! Limits whose effect takes somebody else: a neighbour on the same processor,
//! a disk, huge pages, a device.

use crate::group::Group;
use namespaces::cgroup::{
    CpuWeight, DeviceKind, DeviceRule, Disk, HugetlbLimit, IoLimit, Limit,
    Limits, MKNOD, READ, WRITE,
};
use std::fs;
use std::time::{Duration, Instant};
use testkit::{LoopDevice, Need, Scratch, eventually, requires};

const PATIENCE: Duration = Duration::from_secs(60);

fn memory_events(group: &Group, key: &str) -> u64 {
    let path = group.cgroup.paths()[0].join("memory.events");
    let text = fs::read_to_string(path).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(key));
    value.unwrap().trim().parse().unwrap()
}

/// Without swap nothing can be taken away from it, so it has to wait.
#[test]
fn above_memory_high_a_process_is_held_back_and_not_killed() {
    if !requires(&[Need::Root, Need::CgroupV2]) {
        return;
    }
    let high = |limit| Limits { memory_high: Some(limit), ..Limits::default() };
    let mut group = Group::with(&high(Limit::At(4 << 20)));
    // tail(1) holds all of it, because it may be the last line.
    group.start("head -c 12000000 /dev/zero | tail -n 1 | wc -c");
    eventually(PATIENCE, "it is above, again and again", || {
        (memory_events(&group, "high ") >= 3).then_some(())
    });
    let memory = group.cgroup.usage().unwrap().memory.unwrap();
    assert!(memory.current < 12_000_000, "it has all it wants: {memory:?}");
    // Nobody holds it back any more.
    group.cgroup.set(&high(Limit::Max)).unwrap();
    assert_eq!(group.output().trim(), "12000000");
    assert_eq!(memory_events(&group, "oom_kill "), 0);
}

#[test]
fn a_share_of_a_busy_processor_is_as_large_as_its_weight() {
    if !requires(&[Need::Root]) {
        return;
    }
    let busy = |weight| {
        let limits = Limits {
            cpus: "0".parse().ok(),
            cpu_weight: Some(CpuWeight::Weight(weight)),
            ..Limits::default()
        };
        let mut group = Group::with(&limits);
        group.start("while :; do :; done");
        group
    };
    let (light, heavy) = (busy(100), busy(1000));
    let used = |group: &Group| group.cgroup.usage().unwrap().cpu.unwrap().total;
    let before = (used(&light), used(&heavy));
    let heavy = eventually(PATIENCE, "it has worked", || {
        let worked = used(&heavy) - before.1;
        (worked >= Duration::from_millis(500)).then_some(worked)
    });
    let light = used(&light) - before.0;
    // Ten times as much; the scheduler is not exact in half a second.
    assert!(heavy > 3 * light, "{heavy:?} and {light:?}");
}

#[test]
fn a_disk_gives_no_more_bytes_a_second_than_the_limit() {
    if !requires(&[Need::Root, Need::LoopDevices]) {
        return;
    }
    let scratch = Scratch::new();
    let device = LoopDevice::new(&scratch, 1 << 20);
    let (major, minor) = device.number();
    let disk = Disk { major, minor };
    let limit = IoLimit {
        disk,
        read_bytes: Some(Limit::At(512 << 10)),
        ..IoLimit::default()
    };
    let mut group =
        Group::with(&Limits { io: vec![limit], ..Limits::default() });
    let path = device.path().display();
    let start = Instant::now();
    let read = group.run(&format!(
        "dd if={path} of=/dev/null bs=64k iflag=direct && echo read"
    ));
    let took = start.elapsed();
    assert!(read.ends_with("read\n"), "{read}");
    // Twice what it gives in a second. A busy machine only makes it longer.
    assert!(took >= Duration::from_secs(1), "{took:?}");
    let usage = group.cgroup.usage().unwrap().io;
    let usage = usage.iter().find(|usage| usage.disk == disk);
    assert_eq!(usage.unwrap().read_bytes, 1 << 20, "{usage:?}");
}

/// The machine's pool of huge pages, put back at the end.
struct Pool(String);

const POOL: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages";

impl Pool {
    fn of_two_more() -> Self {
        let pool = Self(fs::read_to_string(POOL).unwrap());
        let more = pool.0.trim().parse::<u64>().unwrap() + 2;
        fs::write(POOL, more.to_string()).unwrap();
        pool
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // In a destructor nobody can be told.
        let _ = fs::write(POOL, self.0.trim());
    }
}

#[test]
fn above_the_limit_of_huge_pages_there_is_no_other() {
    if !requires(&[Need::Root, Need::CgroupV2]) {
        return;
    }
    let _pool = Pool::of_two_more();
    let hugetlb =
        HugetlbLimit { page_size: "2MB".into(), limit: Limit::At(2 << 20) };
    let mut group =
        Group::with(&Limits { hugetlb: vec![hugetlb], ..Limits::default() });
    // Room in the pool for two, and in the cgroup for one.
    let said = group.run(
        "unshare --mount sh -c 'mount -t hugetlbfs none /mnt; cd /mnt; \
         fallocate -l 2097152 a && echo one; \
         fallocate -l 2097152 b || echo no other'",
    );
    assert!(said.contains("one\n") && said.ends_with("no other\n"), "{said}");
    let usage = group.cgroup.usage().unwrap().hugetlb;
    let usage = usage.iter().find(|usage| usage.page_size == "2MB").unwrap();
    assert!(usage.limit_hits >= 1, "{usage:?}");
}

#[test]
fn a_device_is_opened_as_its_rule_says_and_no_other_is() {
    if !requires(&[Need::Root]) {
        return;
    }
    let all = DeviceRule {
        allow: false,
        kind: None,
        major: None,
        minor: None,
        access: MKNOD | READ | WRITE,
    };
    let null = DeviceRule {
        allow: true,
        kind: Some(DeviceKind::Char),
        major: Some(1),
        minor: Some(3),
        access: READ,
    };
    let mut group = Group::new();
    group.cgroup.set_devices(&[all, null]).unwrap();
    let said = group.run(
        "(: < /dev/null) && echo null; (: > /dev/null) || echo only to read; \
         (: < /dev/zero) || echo no other",
    );
    let last_words: Vec<_> =
        said.lines().filter(|line| !line.contains("/dev/")).collect();
    assert_eq!(last_words, ["null", "only to read", "no other"], "{said}");
}
