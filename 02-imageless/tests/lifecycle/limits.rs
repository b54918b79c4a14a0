//! The container's cgroup: where it is, what it limits, and that it goes away.

use super::driver::{
    Driver, on_each_runtime, on_ours, on_ours_with_cgroups,
    on_ours_with_pure_cgroup_v2,
};
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use testkit::{Hierarchies, Need, requires};

/// Where the tests' cgroup is in a hierarchy of cgroup v1.
fn dir(driver: &Driver, controller: &str) -> PathBuf {
    PathBuf::from("/sys/fs/cgroup").join(controller).join(driver.id())
}

#[test]
fn limits_are_those_of_the_configuration() {
    if !requires(&[Need::CgroupV1]) {
        return;
    }
    on_each_runtime(&["sleep", "60"], |driver| {
        driver.set(
            "/linux/resources",
            json!({"memory": {"limit": 67_108_864}, "pids": {"limit": 32},
                   "cpu": {"quota": 50_000, "period": 100_000, "shares": 512}}),
        );
        driver.ok(&["create"]);
        for (controller, file, value) in [
            ("memory", "memory.limit_in_bytes", "67108864"),
            ("pids", "pids.max", "32"),
            ("cpu", "cpu.cfs_quota_us", "50000"),
            ("cpu", "cpu.shares", "512"),
        ] {
            let path = dir(driver, controller).join(file);
            assert_eq!(
                fs::read_to_string(path).unwrap().trim(),
                value,
                "{file}"
            );
            let procs = fs::read_to_string(
                dir(driver, controller).join("cgroup.procs"),
            );
            assert_eq!(
                procs.unwrap().trim(),
                driver.state()["pid"].to_string()
            );
        }
        driver.ok(&["delete", "--force"]);
        assert!(!dir(driver, "memory").exists());
    });
}

#[test]
fn processes_get_real_time_where_it_is_configured() {
    if !requires(&[Need::CgroupV1]) {
        return;
    }
    on_each_runtime(&["sleep", "60"], |driver| {
        let real_time = json!({"realtimePeriod": 500_000,
                               "realtimeRuntime": 1000});
        driver.set("/linux/resources", json!({"cpu": real_time}));
        driver.ok(&["create"]);
        let read = |file| fs::read_to_string(dir(driver, "cpu").join(file));
        let period = read("cpu.rt_period_us").unwrap();
        let runtime = read("cpu.rt_runtime_us").unwrap();
        assert_eq!((&*period, &*runtime), ("500000\n", "1000\n"));
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_container_may_wait_for_memory_and_not_be_killed() {
    if !requires(&[Need::CgroupV1]) {
        return;
    }
    on_each_runtime(&["sleep", "60"], |driver| {
        driver.set(
            "/linux/resources",
            json!({"memory": {"disableOOMKiller": true}}),
        );
        driver.ok(&["create"]);
        let file = dir(driver, "memory").join("memory.oom_control");
        let told = fs::read_to_string(file).unwrap();
        driver.ok(&["delete", "--force"]);
        let name = &driver.runtime.name;
        assert!(told.contains("oom_kill_disable 1"), "{name}: {told}");
    });
}

#[test]
fn a_container_sees_its_own_cgroup_where_the_mount_says() {
    if !requires(&[Need::CgroupV1]) {
        return;
    }
    on_each_runtime(&["cat", "/sys/fs/cgroup/pids/pids.max"], |driver| {
        driver.set("/linux/resources", json!({"pids": {"limit": 33}}));
        assert_eq!(driver.output(), "33\n", "{}", driver.runtime.name);
    });
}

#[test]
fn a_container_is_in_the_hierarchy_of_systemd_too_until_it_is_deleted() {
    if !requires(&[Need::CgroupV1, Need::SystemdsHierarchy]) {
        return;
    }
    on_each_runtime(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        let (dir, pid) =
            (dir(driver, "systemd"), driver.state()["pid"].clone());
        let procs = fs::read_to_string(dir.join("cgroup.procs"));
        assert_eq!(procs.unwrap().trim(), pid.to_string());
        // As a systemd in the container does with itself.
        let below = dir.join("init.scope");
        fs::create_dir(&below).unwrap();
        fs::write(below.join("cgroup.procs"), pid.to_string()).unwrap();
        driver.ok(&["delete", "--force"]);
        assert!(!dir.exists(), "{}", driver.runtime.name);
    });
    on_ours(&["sleep", "60"], |driver| {
        let path = format!("/{}/above/own", driver.id());
        driver.set("/linux/cgroupsPath", json!(path));
        driver.ok(&["create"]);
        assert!(dir(driver, "systemd").join("above/own").exists());
        driver.ok(&["delete", "--force"]);
        // That the directories above are gone too, the scratch looks at.
    });
}

#[test]
fn a_device_that_is_not_allowed_cannot_be_opened() {
    on_each_runtime(&[], devices);
    on_ours_with_pure_cgroup_v2(&[], devices);
}

fn devices(driver: &Driver) {
    let sets = json!(["CAP_MKNOD", "CAP_SYS_ADMIN"]);
    driver.set(
        "/process/capabilities",
        json!({"bounding": sets, "permitted": sets, "effective": sets}),
    );
    // Of the kernel's log, 1:11, only writing is allowed; of another, both.
    let minor = minor_of("cpu_dma_latency");
    driver.set(
        "/linux/resources",
        json!({"devices": [
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "w"},
            {"allow": true, "type": "c", "major": 10, "minor": minor, "access": "r"},
            {"allow": true, "type": "c", "major": 10, "minor": minor, "access": "w"},
        ]}),
    );
    driver.set_script(&format!(
        "mknod /dev/kmsg c 1 11; mknod /dev/both c 10 {minor}
         (: </dev/kmsg) 2>/dev/null || echo read refused
         : >/dev/kmsg && echo written
         : <>/dev/both && echo both
         : >/dev/null && echo default"
    ));
    let expected = "read refused\nwritten\nboth\ndefault\n";
    assert_eq!(driver.output(), expected, "{}", driver.runtime.name);
}

/// Finds a device that every kernel has, but not with the same number: misc
/// devices are listed in /proc/misc.
fn minor_of(name: &str) -> u32 {
    let list = fs::read_to_string("/proc/misc").expect("/proc is mounted");
    let line = list.lines().find(|line| line.ends_with(name));
    let minor = line.and_then(|line| line.split_whitespace().next());
    minor.and_then(|minor| minor.parse().ok()).expect("a device of that name")
}

#[test]
fn a_container_on_pure_cgroup_v2_lives_and_goes_as_on_v1() {
    let args = ["sh", "-c", "cat /proc/self/cgroup; ls /sys/fs/cgroup"];
    on_ours_with_pure_cgroup_v2(&args, |driver| {
        let output = driver.output();
        assert!(output.contains("0::/\n"), "a cgroup namespace: {output}");
        assert!(output.contains("\ncgroup.procs\n"), "{output}");
        driver.set("/process/args", json!(["sleep", "60"]));
        driver.ok(&["create"]);
        driver.ok(&["start"]);
        driver.ok(&["kill", "--all", "KILL"]);
        driver.wait_for("stopped");
        driver.ok(&["delete"]);
    });
}

#[test]
fn processes_that_outlive_init_are_ended_by_delete() {
    // Not on the reference: on cgroup v2, runc 1.1 does not wait for those that
    // it kills, and now and then leaves the cgroup.
    on_ours(&[], |driver| {
        // Without a pid namespace of its own nobody ends them with init.
        driver.set("/linux/namespaces", json!([{"type": "mount"}, {"type": "uts"}, {"type": "ipc"}, {"type": "network"}]));
        driver.set_script("sleep 60 & exit 0");
        driver.ok(&["create"]);
        driver.ok(&["start"]);
        driver.wait_for("stopped");
        driver.ok(&["delete"]);
        // That nobody is left, and no cgroup, is what the scratch looks at.
    });
}

/// Controllers of v1 that few machines mount, and that nobody needs for anything
/// else.
const NET: &str = "mount -t tmpfs none /sys/fs/cgroup && cd /sys/fs/cgroup && \
    mkdir net devices && mount -t cgroup -o net_cls,net_prio none net && \
    mount -t cgroup -o devices none devices && cd $OLDPWD";

#[test]
fn packets_get_the_configured_class_and_priorities() {
    let _ended_at_last = Hierarchies::new();
    on_ours_with_cgroups(NET, &[], |driver| {
        let lo = json!([{"name": "lo", "priority": 7}]);
        let network = json!({"classID": 1_048_577, "priorities": lo});
        driver.set("/linux/resources", json!({"network": network}));
        let net = json!({"destination": "/net", "type": "bind", "source": "/sys/fs/cgroup/net", "options": ["rbind"]});
        driver.set("/mounts", json!([{"destination": "/proc", "type": "proc", "source": "proc"}, net]));
        let id = driver.id();
        driver.set_script(&format!(
            "cd /net/*{id}*; grep -x $$ cgroup.procs; cat net_cls.classid; \
             grep 'lo ' net_prio.ifpriomap"
        ));
        assert_eq!(driver.output(), "1\n1048577\nlo 7\n");
    });
}
