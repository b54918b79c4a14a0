//! create, start, state, kill and delete, and what each may do when.

use super::driver::{Driver, LIMIT, on_each_runtime, on_ours};
use serde_json::json;
use std::fs;
use testkit::eventually;

const SLEEP: &[&str] = &["sleep", "60"];

fn pid(driver: &Driver) -> i64 {
    driver.state()["pid"].as_i64().expect("pid is a number")
}

fn proc(pid: i64, file: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default()
}

#[test]
fn a_created_container_is_the_runtimes_own_init_until_start() {
    on_each_runtime(SLEEP, |driver| {
        driver.ok(&["create"]);
        let pid = pid(driver);
        assert_eq!(driver.status(), "created");
        assert!(proc(pid, "comm").to_lowercase().contains("init"));
        driver.ok(&["start"]);
        assert_eq!(driver.status(), "running");
        eventually(LIMIT, "init becomes the program", || {
            (proc(pid, "cmdline") == "sleep\x0060\0").then_some(())
        });
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_container_is_deleted_after_its_program_has_ended() {
    on_each_runtime(&["true"], |driver| {
        driver.ok(&["create"]);
        driver.ok(&["start"]);
        driver.wait_for("stopped");
        assert_eq!(pid(driver), 0, "a stopped container has no process");
        driver.ok(&["delete"]);
        driver.fails(&["state"]);
    });
}

#[test]
fn state_tells_what_the_specification_asks_for() {
    on_each_runtime(SLEEP, |driver| {
        driver.set("/annotations", json!({"org.example.key": "value"}));
        driver.ok(&["create"]);
        let state = driver.state();
        assert_eq!(state["id"], driver.id());
        assert_eq!(
            state["ociVersion"].as_str().unwrap().split('.').next(),
            Some("1")
        );
        assert_eq!(state["bundle"], driver.bundle.path().to_str().unwrap());
        assert_eq!(state["annotations"]["org.example.key"], "value");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_container_runs_whatever_its_process_calls_itself() {
    on_each_runtime(&[], |driver| {
        driver.set_script("printf 'x) Z \\377' > /proc/$$/comm; sleep 60; :");
        driver.ok(&["create"]);
        driver.ok(&["start"]);
        let comm = format!("/proc/{}/comm", pid(driver));
        eventually(LIMIT, "it has its name", || {
            fs::read(&comm).ok().filter(|name| name == b"x) Z \xff\n")
        });
        assert_eq!(driver.status(), "running");
        driver.fails(&["delete"]);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_reader_of_state_or_list_may_stop_at_any_time() {
    on_ours(SLEEP, |driver| {
        driver.ok(&["create"]);
        for args in [&["state", driver.id()][..], &["list"]] {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let output = driver.command(args).stdout(writer).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            assert!(output.stderr.is_empty(), "{output:?}");
        }
        driver.ok(&["delete"]);
    });
}

#[test]
fn the_pid_file_holds_the_pid_without_a_newline() {
    on_each_runtime(SLEEP, |driver| {
        let file = driver.scratch.path().join("pid");
        driver.ok(&["create", "--pid-file", file.to_str().unwrap()]);
        assert_eq!(driver.read("pid"), pid(driver).to_string());
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_config_that_is_edited_after_create_has_no_effect() {
    on_each_runtime(SLEEP, |driver| {
        driver.ok(&["create"]);
        driver.set("/process/args", json!(["sleep", "77"]));
        driver.ok(&["start"]);
        let pid = pid(driver);
        eventually(LIMIT, "init becomes the program", || {
            proc(pid, "cmdline").starts_with("sleep").then_some(())
        });
        assert_eq!(proc(pid, "cmdline"), "sleep\x0060\0");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_second_create_with_the_same_id_leaves_the_first_alone() {
    on_each_runtime(SLEEP, |driver| {
        driver.ok(&["create"]);
        let before = pid(driver);
        let answer = driver.fails(&["create"]);
        assert!(!answer.stderr.contains("cgroup"), "{answer:?}");
        assert_eq!(
            (driver.status().as_str(), pid(driver)),
            ("created", before)
        );
        driver.ok(&["start"]);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_container_is_started_once() {
    on_each_runtime(SLEEP, |driver| {
        driver.ok(&["create"]);
        driver.ok(&["start"]);
        driver.fails(&["start"]);
        driver.ok(&["kill", "KILL"]);
        driver.wait_for("stopped");
        driver.fails(&["start"]);
        driver.ok(&["delete"]);
    });
}

#[test]
fn a_running_container_is_deleted_only_by_force() {
    on_each_runtime(SLEEP, |driver| {
        driver.ok(&["create"]);
        driver.ok(&["start"]);
        driver.fails(&["delete"]);
        assert_eq!(driver.status(), "running");
        driver.ok(&["delete", "--force"]);
        driver.fails(&["state"]);
    });
}

#[test]
fn a_created_container_can_be_killed() {
    on_each_runtime(SLEEP, |driver| {
        driver.ok(&["create"]);
        driver.ok(&["kill", "TERM"]);
        driver.wait_for("stopped");
        driver.fails(&["start"]);
        driver.ok(&["delete"]);
    });
}

#[test]
fn a_created_container_can_be_deleted() {
    on_each_runtime(SLEEP, |driver| {
        driver.ok(&["create"]);
        driver.ok(&["delete"]);
        driver.fails(&["state"]);
    });
}

#[test]
fn a_signal_reaches_the_program_by_name_and_by_number() {
    on_each_runtime(&[], |driver| {
        for signal in ["USR1", "SIGUSR1", "10"] {
            driver.set_script("trap 'exit 3' USR1; sleep 60 & wait");
            driver.ok(&["create"]);
            driver.ok(&["start"]);
            let pid = pid(driver);
            // The child is made after the trap is set.
            eventually(LIMIT, "the script waits", || {
                children(pid).then_some(())
            });
            driver.ok(&["kill", signal]);
            driver.wait_for("stopped");
            driver.ok(&["delete"]);
        }
    });
}

fn children(pid: i64) -> bool {
    !proc(pid, &format!("task/{pid}/children")).is_empty()
}

#[test]
fn a_stopped_container_cannot_be_killed() {
    on_each_runtime(&["true"], |driver| {
        driver.ok(&["create"]);
        driver.ok(&["start"]);
        driver.wait_for("stopped");
        let answer = driver.fails(&["kill", "TERM"]);
        // containerd and CRI-O look for these words.
        assert!(answer.stderr.contains("container not running"), "{answer:?}");
        driver.ok(&["delete"]);
    });
}

#[test]
fn an_id_that_nobody_has_is_an_error_except_for_delete_by_force() {
    on_each_runtime(SLEEP, |driver| {
        for verb in [&["start"][..], &["state"], &["kill", "TERM"], &["delete"]]
        {
            let answer = driver.fails(verb);
            // containerd looks for these words.
            assert!(answer.stderr.contains("does not exist"), "{answer:?}");
        }
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_missing_program_is_found_out_by_create_and_leaves_nothing() {
    on_each_runtime(&["bahs"], |driver| {
        let answer = driver.fails(&["create"]);
        assert!(answer.stderr.contains("bahs"), "{answer:?}");
        // podman looks for these words.
        let words = "executable file not found in $PATH";
        assert!(answer.stderr.contains(words), "{answer:?}");
        driver.fails(&["state"]);
        driver.set("/process/args", json!(["true"]));
        driver.ok(&["run"]);
    });
}
