//! `update`: other limits while the container runs.

use super::driver::{Driver, OURS, on_each_runtime};
use serde_json::json;
use std::fs::{self, File};

/// What the container itself sees of a limit of its cgroup, on v1 or v2.
fn limit(driver: &Driver, v1: &str, v2: &str) -> String {
    let read = format!(
        "cat /sys/fs/cgroup/{v1} 2>/dev/null || cat /sys/fs/cgroup/{v2}"
    );
    let exec = driver.call(&["exec", driver.id(), "sh", "-c", &read]);
    exec.stdout.trim().to_owned()
}

fn pids(driver: &Driver) -> String {
    limit(driver, "pids/pids.max", "pids.max")
}

fn memory(driver: &Driver) -> String {
    limit(driver, "memory/memory.limit_in_bytes", "memory.max")
}

/// Runs `test` on each runtime in a container that sees its cgroup.
fn in_a_container(test: impl Fn(&Driver)) {
    on_each_runtime(&["sleep", "60"], |driver| {
        driver.bundle.edit(|spec| {
            let cgroup = json!({
                "destination": "/sys/fs/cgroup", "type": "cgroup",
                "source": "cgroup", "options": ["ro", "nosuid", "noexec", "nodev"],
            });
            let sysfs = json!({"destination": "/sys", "type": "sysfs", "source": "sysfs"});
            let mounts = spec.mounts_mut().get_or_insert_default();
            mounts.retain(|mount| !mount.destination().starts_with("/sys"));
            for mount in [sysfs, cgroup] {
                mounts.push(serde_json::from_value(mount).expect("a mount"));
            }
        });
        driver.ok(&["run", "--detach"]);
        test(driver);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn an_option_changes_one_limit_and_leaves_the_others() {
    in_a_container(|driver| {
        driver.ok(&["update", "--memory", "67108864"]);
        driver.ok(&["update", "--pids-limit", "17"]);
        assert_eq!(pids(driver), "17", "{}", driver.runtime.name);
        assert_eq!(memory(driver), "67108864", "{}", driver.runtime.name);
    });
}

#[test]
fn a_period_alone_leaves_the_quota_and_a_quota_alone_the_period() {
    in_a_container(|driver| {
        let both = || {
            let v1 =
                "cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us";
            limit(driver, v1, "cpu.max")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        driver.ok(&["update", "--cpu-quota", "50000"]);
        driver.ok(&["update", "--cpu-period", "200000"]);
        assert_eq!(both(), "50000 200000", "{}", driver.runtime.name);
        driver.ok(&["update", "--cpu-quota", "60000"]);
        assert_eq!(both(), "60000 200000", "{}", driver.runtime.name);
    });
}

#[test]
fn limits_come_from_a_file_or_from_standard_input() {
    in_a_container(|driver| {
        let file = driver.scratch.path().join("limits.json");
        let name = file.to_str().expect("our paths are text");
        let resources = json!({"pids": {"limit": 21}});
        fs::write(&file, resources.to_string()).expect(OURS);
        driver.ok(&["update", "--resources", name]);
        assert_eq!(pids(driver), "21", "{}", driver.runtime.name);

        let resources = json!({"pids": {"limit": 22}});
        fs::write(&file, resources.to_string()).expect(OURS);
        let mut update =
            driver.command(&["update", "--resources", "-", driver.id()]);
        let update = update.stdin(File::open(&file).expect(OURS));
        assert!(update.status().expect("the runtime was found").success());
        assert_eq!(pids(driver), "22", "{}", driver.runtime.name);
    });
}
