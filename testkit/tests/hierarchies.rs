//! A hierarchy of cgroup v1 that nobody mounts any more is found and ended.

use std::fs;
use std::process::Command;
use testkit::{Hierarchies, Need, requires};

#[test]
fn a_hierarchy_with_a_cgroup_in_it_is_ended() {
    if !requires(&[Need::Root, Need::CgroupV1]) {
        return;
    }
    assert!(!is_in_use(), "the test needs a controller that nobody uses");
    let hierarchies = Hierarchies::new();
    let script = "mount -t cgroup -o perf_event none /sys/fs/cgroup && \
        mkdir /sys/fs/cgroup/left";
    let status = Command::new("unshare")
        .args(["--mount", "sh", "-c", script])
        .status()
        .expect("unshare is there");
    assert!(status.success(), "{status}");
    assert!(is_in_use(), "a cgroup keeps it");
    drop(hierarchies);
    assert!(!is_in_use());
}

fn is_in_use() -> bool {
    let list = fs::read_to_string("/proc/cgroups").expect("/proc is mounted");
    let line = list.lines().find(|line| line.starts_with("perf_event"));
    line.is_none_or(|line| line.split_whitespace().nth(1) != Some("0"))
}
