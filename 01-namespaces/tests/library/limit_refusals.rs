//! What is no limit is refused by the file that it names, and by what that
//! accepts.

use crate::group::Group;
use namespaces::cgroup::{
    CpuQuota, CpuWeight, Disk, HugetlbLimit, IoLimit, Limit, Limits, Version,
};
use nix::errno::Errno;
use testkit::{Need, requires};

impl Group {
    fn refusal(&self, limits: Limits) -> (Errno, String) {
        let error = self.cgroup.set(&limits).unwrap_err();
        let text = error.to_string();
        assert_eq!(text.lines().count(), 2, "{text}");
        (error.errno, text)
    }
}

#[test]
fn a_value_that_cannot_be_names_the_file_and_what_it_accepts() {
    if !requires(&[Need::Root]) {
        return;
    }
    let group = Group::new();
    let v2 = group.cgroup.version() == Version::V2;
    let quota = |quota, period| Limits {
        cpu_quota: Some(CpuQuota { quota: Limit::At(quota), period }),
        ..Limits::default()
    };
    let pids = Some(Limit::At(1 << 40));
    let memory = Some(Limit::At(100));
    let cpus = "8000".parse().ok();
    let burst = Some(1 << 40);
    let none = Limits::default;
    let cases = [
        (quota(1000, 999), "accepts"),
        (quota(999, 1000), "accepts"),
        (quota(1000, 1_000_001), "1000 to 1000000"),
        (Limits { pids, ..none() }, "pids.max accepts 0 to 4194304, or max"),
        (Limits { memory, ..none() }, "accepts 4096 bytes or more"),
        (Limits { cpus, ..none() }, "cpuset.cpus accepts 0"),
        (
            Limits { cpu_burst: burst, ..quota(2000, 10_000) },
            "0 to the quota, in us",
        ),
    ];
    for (limits, words) in cases {
        let (errno, text) = group.refusal(limits);
        let invalid = [Errno::EINVAL, Errno::ERANGE].contains(&errno);
        assert!(invalid && text.contains(words), "{text}");
    }
    if v2 {
        let cpu_weight = Some(CpuWeight::Weight(10_001));
        let (_, text) = group.refusal(Limits { cpu_weight, ..none() });
        assert!(text.contains("cpu.weight accepts 1 to 10000"), "{text}");
    }
}

#[test]
fn a_disk_that_is_not_there_is_refused() {
    if !requires(&[Need::Root]) {
        return;
    }
    let group = Group::new();
    let disk = Disk { major: 4095, minor: 7 };
    let read_bytes = Some(Limit::At(1 << 20));
    let io = vec![IoLimit { disk, read_bytes, ..IoLimit::default() }];
    let (errno, text) = group.refusal(Limits { io, ..Limits::default() });
    assert_eq!(errno, Errno::ENODEV, "{text}");
    assert!(text.contains("accepts a whole disk"), "{text}");
}

#[test]
fn a_controller_that_is_not_there_is_named_with_the_way_to_get_it() {
    if !requires(&[Need::Root]) {
        return;
    }
    let group = Group::new();
    let page_size = "3MB".into();
    let hugetlb = vec![HugetlbLimit { page_size, limit: Limit::At(0) }];
    let (errno, text) = group.refusal(Limits { hugetlb, ..Limits::default() });
    assert_eq!(errno, Errno::ENOENT, "{text}");
    assert!(text.contains("hugetlb"), "{text}");
}

#[test]
fn a_raw_file_is_written_on_v2_and_refused_on_v1() {
    if !requires(&[Need::Root]) {
        return;
    }
    let group = Group::new();
    let raw = |file: &str, value: &str| Limits {
        unified: [(file.to_owned(), value.to_owned())].into(),
        ..Limits::default()
    };
    let limits = raw("pids.max", "7");
    match group.cgroup.version() {
        Version::V1 => {
            let (errno, _) = group.refusal(limits);
            assert_eq!(errno, Errno::ENOENT);
        }
        Version::V2 => {
            group.cgroup.set(&limits).unwrap();
            let pids = group.cgroup.usage().unwrap().pids.unwrap();
            assert_eq!(pids.limit, Limit::At(7));
            for file in ["cgroup.kill", "../x.y", "pids", "nothing.max"] {
                group.refusal(raw(file, "1"));
            }
        }
    }
}
