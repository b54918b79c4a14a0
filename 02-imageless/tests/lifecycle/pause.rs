//! `pause` and `resume`, and what other verbs do with a paused container.

use super::driver::{Driver, LIMIT, on_each_runtime};
use std::fs;
use testkit::eventually;

/// Counts, so that one sees whether it runs.
const COUNTING: &[&str] =
    &["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/tmp/count; done"];

fn count(driver: &Driver) -> Option<u64> {
    let file = driver.bundle.rootfs().join("tmp/count");
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

fn in_a_paused_container(test: impl Fn(&Driver)) {
    on_each_runtime(COUNTING, |driver| {
        driver.ok(&["run", "--detach"]);
        driver.ok(&["pause"]);
        assert_eq!(driver.status(), "paused", "{}", driver.runtime.name);
        test(driver);
    });
}

#[test]
fn a_paused_container_stands_still_until_it_is_resumed() {
    on_each_runtime(COUNTING, |driver| {
        driver.ok(&["run", "--detach"]);
        eventually(LIMIT, "it counts", || count(driver));
        driver.ok(&["pause"]);
        // Between opening and writing, the file is empty; it stays so.
        let before = count(driver);
        for _ in 0..20 {
            assert_eq!(driver.status(), "paused");
        }
        assert_eq!(count(driver), before, "{}", driver.runtime.name);
        driver.ok(&["resume"]);
        assert_eq!(driver.status(), "running");
        eventually(LIMIT, "it counts on", || {
            count(driver).filter(|now| *now > before.unwrap_or(0))
        });
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_container_that_waits_for_its_start_is_paused_and_resumed_too() {
    on_each_runtime(COUNTING, |driver| {
        driver.ok(&["create"]);
        driver.ok(&["pause"]);
        assert_eq!(driver.status(), "paused", "{}", driver.runtime.name);
        driver.fails(&["start"]);
        driver.ok(&["resume"]);
        assert_eq!(driver.status(), "created", "{}", driver.runtime.name);
        driver.ok(&["start"]);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_paused_container_can_be_killed() {
    in_a_paused_container(|driver| {
        driver.ok(&["kill", "KILL"]);
        driver.wait_for("stopped");
        driver.ok(&["delete"]);
    });
}

#[test]
fn a_paused_container_is_deleted_only_by_force() {
    in_a_paused_container(|driver| {
        driver.fails(&["delete"]);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn only_a_running_container_is_paused_and_only_a_paused_one_resumed() {
    in_a_paused_container(|driver| {
        driver.fails(&["pause"]);
        driver.ok(&["resume"]);
        driver.fails(&["resume"]);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn nothing_is_executed_in_a_paused_container() {
    in_a_paused_container(|driver| {
        let answer = driver.call(&["exec", driver.id(), "true"]);
        assert_eq!(answer.status.code(), Some(255), "{answer:?}");
        driver.ok(&["delete", "--force"]);
    });
}
