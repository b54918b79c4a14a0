//! When and where the process runs, as what it knows the machine, and since
//! when. Debian's runc 1.1 is older than most of these fields and passes over
//! them.

use super::driver::{Driver, on_ours};
use serde_json::{Value, json};
use std::process::Command;

/// Runs a script in the container that is up, with these changes to a process
/// of its own.
fn exec(driver: &Driver, script: &str, fields: Value) -> String {
    let mut process = json!({"user": {}, "cwd": "/", "args": ["sh", "-c", script], "env": ["PATH=/bin"]});
    let fields = fields.as_object().expect("an object").clone();
    process.as_object_mut().expect("an object").extend(fields);
    let file = driver.scratch.path().join("process.json");
    std::fs::write(&file, process.to_string()).expect("the scratch is ours");
    let file = file.to_str().expect("ASCII");
    let answer = driver.call(&["exec", "--process", file, driver.id()]);
    answer.stdout + &answer.stderr
}

const FOREVER: &[&str] = &["sleep", "60"];

#[test]
fn a_32_bit_personality_is_what_uname_tells_in_exec_too() {
    on_ours(FOREVER, |driver| {
        driver.set("/linux/personality", json!({"domain": "LINUX32"}));
        driver.ok(&["run", "--detach"]);
        let words = ["i686\n", "armv8l\n"];
        assert!(words.contains(&&*exec(driver, "uname -m", json!({}))));
        driver.ok(&["delete", "--force"]);
        driver.set_script("uname -m");
        assert!(words.contains(&&*driver.output()));
    });
}

/// Fields 19 and 41 of the file: nice, and the policy.
const SCHEDULER: &str = "cut -d' ' -f19,41 /proc/self/stat";

/// This process' own, which containers inherit.
fn own_scheduler() -> String {
    let own = Command::new("sh").args(["-c", SCHEDULER]).output();
    String::from_utf8(own.expect("sh is there").stdout).expect("numbers")
}

#[test]
fn the_scheduler_is_the_configured_one_for_init_and_for_exec() {
    on_ours(&[], |driver| {
        driver.set_script(SCHEDULER);
        assert_eq!(driver.output(), own_scheduler(), "nothing is configured");
        let batch = json!({"policy": "SCHED_BATCH", "nice": 7});
        driver.set("/process/scheduler", batch);
        assert_eq!(driver.output(), "7 3\n");
        driver.set("/process/args", json!(FOREVER));
        driver.ok(&["run", "--detach"]);
        let idle = json!({"scheduler": {"policy": "SCHED_IDLE"}});
        assert_eq!(exec(driver, SCHEDULER, idle), "0 5\n");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn the_words_of_the_specification_are_understood() {
    on_ours(&[], |driver| {
        driver.set_script(&format!("exec {SCHEDULER}"));
        let flags = json!(["SCHED_FLAG_RESET_ON_FORK"]);
        let scheduler =
            json!({"policy": "SCHED_BATCH", "nice": -3, "flags": flags});
        driver.set("/process/scheduler", scheduler);
        assert_eq!(driver.output(), "-3 3\n");
        // A child of it has no more than others.
        driver.set_script(&format!("{SCHEDULER}; true"));
        assert_eq!(driver.output(), "0 3\n");
    });
}

#[test]
fn requests_to_disks_have_the_configured_class_and_level() {
    on_ours(&["ionice"], |driver| {
        let priority = json!({"class": "IOPRIO_CLASS_BE", "priority": 6});
        driver.set("/process/ioPriority", priority);
        assert_eq!(driver.output(), "best-effort: prio 6\n");
        driver.set(
            "/process/ioPriority",
            json!({"class": "IOPRIO_CLASS_IDLE", "priority": 0}),
        );
        assert_eq!(driver.output(), "idle\n");
    });
}

#[test]
fn exec_ends_on_the_processors_that_it_asks_for_and_init_does_not() {
    on_ours(FOREVER, |driver| {
        let allowed = "grep Cpus_allowed_list /proc/self/status";
        let affinity = json!({"final": "0"});
        driver.set("/process/execCPUAffinity", affinity.clone());
        driver.set_script(allowed);
        let all = driver.output();
        driver.set("/process/args", json!(FOREVER));
        driver.ok(&["run", "--detach"]);
        let one = exec(driver, allowed, json!({"execCPUAffinity": affinity}));
        assert_eq!(one, "Cpus_allowed_list:\t0\n");
        assert_eq!(exec(driver, allowed, json!({})), all);
        // Without a file, exec makes a process like init's: there it counts.
        let like = ["exec", driver.id(), "sh", "-c", allowed];
        assert_eq!(driver.call(&like).stdout, one);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn exec_begins_on_the_processors_that_it_asks_for() {
    on_ours(FOREVER, |driver| {
        // No kernel has so many: only who asks for them hears of it.
        let affinity = json!({"initial": "1000"});
        driver.set("/process/execCPUAffinity", affinity.clone());
        driver.ok(&["run", "--detach"]);
        let fields = json!({"execCPUAffinity": affinity});
        assert_eq!(
            exec(driver, "true", fields),
            "imageless: config.json: process.execCPUAffinity.initial: \
             sched_setaffinity(0, [1000]) = EINVAL: Invalid argument\n"
        );
        driver.ok(&["delete", "--force"]);
    });
}

/// Gives the container a user namespace with the machine's root as its own, so
/// that it may do what needs one.
fn add_user_namespace(driver: &Driver, others: &[&str]) {
    let map = json!([{"containerID": 0, "hostID": 0, "size": 65_536}]);
    driver.set("/linux/uidMappings", map.clone());
    driver.set("/linux/gidMappings", map);
    set_namespaces(driver, &[others, &["user"]].concat());
}

fn set_namespaces(driver: &Driver, kinds: &[&str]) {
    let kinds = kinds.iter().map(|kind| json!({"type": kind}));
    driver.set("/linux/namespaces", kinds.collect());
}

const CLOCKS: &str =
    "tr -s ' ' </proc/self/timens_offsets; cut -d. -f1 /proc/uptime";

fn are_ahead(driver: &Driver) {
    driver.ok(&["run", "--detach"]);
    let output = exec(driver, CLOCKS, json!({}));
    let lines: Vec<_> = output.lines().collect();
    assert_eq!(lines[..2], ["monotonic -1 0", "boottime 86400 7"]);
    let uptime: u64 = lines[2].parse().expect("seconds");
    assert!(uptime >= 86_400, "{uptime}");
    driver.ok(&["delete", "--force"]);
}

#[test]
fn clocks_are_as_far_from_the_machines_as_configured() {
    on_ours(FOREVER, |driver| {
        let offsets = json!({"boottime": {"secs": 86_400, "nanosecs": 7}, "monotonic": {"secs": -1}});
        driver.set("/linux/timeOffsets", offsets);
        let kinds = ["pid", "mount", "network", "ipc", "uts", "time"];
        set_namespaces(driver, &kinds);
        are_ahead(driver);
        add_user_namespace(driver, &kinds);
        are_ahead(driver);
    });
}

#[test]
fn memory_comes_from_the_configured_nodes() {
    on_ours(FOREVER, |driver| {
        let policy = json!({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]});
        driver.set("/linux/memoryPolicy", policy);
        let script = "head -n 1 /proc/self/numa_maps | cut -d' ' -f2";
        driver.ok(&["run", "--detach"]);
        let expected = "bind=static:0\n";
        assert_eq!(exec(driver, script, json!({})), expected);
        driver.ok(&["delete", "--force"]);
        driver.set_script(script);
        assert_eq!(driver.output(), expected);
    });
}
