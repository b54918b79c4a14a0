//! Verbs by which engines watch a container: ps, events, features.

use super::driver::{Driver, on_each_runtime, on_ours};
use serde_json::Value;
use testkit::{Need, requires};

const TWO: &[&str] = &["sh", "-c", "sleep 61 & sleep 62; wait"];

fn json(driver: &Driver, args: &[&str]) -> Value {
    let answer = driver.call(args);
    assert!(answer.status.success(), "{args:?} {answer:?}");
    assert_eq!(answer.stderr, "", "{args:?}");
    serde_json::from_str(&answer.stdout).expect("it is JSON")
}

#[test]
fn ps_lists_the_pids_of_the_host() {
    on_each_runtime(TWO, |driver| {
        driver.ok(&["run", "--detach"]);
        let pids = json(driver, &["ps", "--format", "json", driver.id()]);
        let pids = pids.as_array().expect("an array");
        assert!(pids.contains(&driver.state()["pid"]), "{pids:?}");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn ps_shows_a_table_of_the_containers_processes_alone() {
    if !requires(&[Need::Program("ps")]) {
        return;
    }
    on_each_runtime(&["sleep", "61"], |driver| {
        driver.ok(&["run", "--detach"]);
        for options in [&[][..], &["-o", "pid,comm"]] {
            let args = [&["ps", driver.id()], options].concat();
            let answer = driver.call(&args);
            let lines: Vec<_> = answer.stdout.lines().collect();
            assert_eq!(lines.len(), 2, "{answer:?}");
            assert!(lines[0].contains("PID") && lines[1].contains("sleep"));
        }
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn statistics_have_the_shape_that_engines_read() {
    on_each_runtime(TWO, |driver| {
        driver.ok(&["run", "--detach"]);
        let event = json(driver, &["events", "--stats", driver.id()]);
        assert_eq!(event["type"], "stats");
        assert_eq!(event["id"], driver.id());
        for pointer in [
            "/data/cpu/usage/total",
            "/data/memory/usage/usage",
            "/data/memory/usage/limit",
            "/data/pids/current",
        ] {
            let number = event.pointer(pointer).and_then(Value::as_u64);
            assert!(number > Some(0), "{pointer}: {event}");
        }
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn events_end_with_the_container() {
    // runc 1.1 goes on as long as nobody has reaped the container's init.
    on_ours(&["sleep", "3"], |driver| {
        driver.ok(&["run", "--detach"]);
        let args = ["events", "--interval", "200ms", driver.id()];
        let answer = driver.call(&args);
        assert!(answer.status.success(), "{answer:?}");
        assert!(answer.stdout.lines().count() > 1, "{answer:?}");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn the_list_names_the_owner() {
    on_each_runtime(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        let list = json(driver, &["list", "--format", "json"]);
        assert_eq!(list[0]["owner"], "root");
        let dir = driver.scratch.state_root().join(driver.id());
        std::os::unix::fs::chown(dir, Some(54_321), None).unwrap();
        let list = json(driver, &["list", "--format", "json"]);
        assert_eq!(list[0]["owner"], "#54321");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn features_tell_what_a_configuration_may_ask_for() {
    on_ours(&["true"], |driver| {
        let features = json(driver, &["features"]);
        assert_eq!(features["ociVersionMin"], "1.0.0");
        let has = |pointer: &str, word: &str| {
            let list = features.pointer(pointer).and_then(Value::as_array);
            list.expect(pointer).contains(&word.into())
        };
        assert!(has("/mountOptions", "rbind"));
        assert!(has("/mountOptions", "idmap"));
        assert!(has("/linux/namespaces", "network"));
        assert!(has("/linux/capabilities", "CAP_CHECKPOINT_RESTORE"));
        assert!(has("/linux/seccomp/actions", "SCMP_ACT_NOTIFY"));
        let flag = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";
        assert!(has("/linux/seccomp/supportedFlags", flag));
        assert!(has("/linux/memoryPolicy/modes", "MPOL_WEIGHTED_INTERLEAVE"));
        assert!(has("/linux/memoryPolicy/flags", "MPOL_F_STATIC_NODES"));
        for (pointer, is_done) in [
            ("/linux/apparmor/enabled", true),
            ("/linux/selinux/enabled", true),
            ("/linux/cgroup/rdma", true),
            ("/linux/intelRdt/enabled", false),
        ] {
            assert_eq!(features.pointer(pointer), Some(&is_done.into()));
        }
    });
}

#[test]
fn checkpoint_and_restore_say_that_they_are_not_there() {
    on_ours(&["true"], |driver| {
        for verb in ["checkpoint", "restore"] {
            let answer = driver.call(&[verb, "--image-path", "x", driver.id()]);
            let error = format!("imageless: {verb}: not supported");
            assert!(answer.stderr.starts_with(&error), "{answer:?}");
        }
    });
}
