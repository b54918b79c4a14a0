//! The mirrors of stage 03's pitfalls: what goes wrong when a manager drives a
//! runtime by itself is right with a shim between them. Each claim holds for
//! conmon, the reference, and for ours; with runc, the reference, and with
//! ours.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod rig;

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rig::{DEADLINE, Rig, for_each, json};
use runc_naive::Status;
use testkit::{Need, eventually, requires};

const NEEDS: [Need; 3] =
    [Need::Root, Need::Program("runc"), Need::Program("conmon")];

/// C4: without a shim, the next write after the manager's death gets EPIPE, and
/// the loop ends.
#[test]
fn the_container_and_its_log_outlive_the_manager() {
    if !requires(&NEEDS) {
        return;
    }
    for_each(&["sh", "-c", "while echo tick; do usleep 20000; done"], |rig| {
        let mut manager = manager(rig);
        rig.start();
        eventually(DEADLINE, "the log has begun", || {
            rig.log().contains("tick").then_some(())
        });
        killpg(Pid::from_raw(manager.id() as i32), Signal::SIGKILL).unwrap();
        manager.wait().unwrap();

        let before = rig.log().len();
        eventually(DEADLINE, "the log grows on", || {
            (rig.log().len() > before + 500).then_some(())
        });
        assert_eq!(
            rig.runtime.state(rig.id()).unwrap().status,
            Status::Running
        );
        rig.kill(9);
        assert_eq!(rig.exit_code(), 137);
    });
}

/// Starts a process group that stands for a manager: it creates the container,
/// reads the answer, and stays.
fn manager(rig: &Rig) -> Child {
    let shim = rig.command();
    let mut manager = Command::new("sh");
    manager.args(["-c", r#""$@" && exec sleep 1000"#, "manager"]);
    manager.arg(shim.get_program()).args(shim.get_args());
    manager
        .env("SCRATCH", rig.scratch.path())
        .process_group(0)
        .stdout(Stdio::piped());
    let mut manager = manager.spawn().unwrap();
    let mut answer = String::new();
    BufReader::new(manager.stdout.as_mut().unwrap())
        .read_line(&mut answer)
        .unwrap();
    assert!(json(&answer)["data"].as_i64() > Some(0), "{answer}");
    manager
}

/// C6: without a shim, reading the runtime's output to its end lasts as long as
/// the container.
#[test]
fn the_answer_comes_while_the_container_lives() {
    if !requires(&NEEDS) {
        return;
    }
    for_each(&["sleep", "1000"], |rig| {
        rig.created(); // reads standard output and standard error to their ends
        assert_eq!(
            rig.runtime.state(rig.id()).unwrap().status,
            Status::Created
        );
        rig.start();
        assert_eq!(
            rig.runtime.state(rig.id()).unwrap().status,
            Status::Running
        );
        rig.kill(9);
        rig.exit_code();
    });
}

/// C8: without a shim, nobody can say how a detached container ended.
#[test]
fn the_exit_status_is_known() {
    if !requires(&NEEDS) {
        return;
    }
    for_each(&["sh", "-c", "exit 7"], |rig| {
        rig.run();
        assert_eq!(rig.exit_code(), 7);
    });
}

/// C8 again: the end that nobody asked for.
#[test]
fn a_killed_container_has_128_plus_the_signal() {
    if !requires(&NEEDS) {
        return;
    }
    for_each(&["sleep", "1000"], |rig| {
        rig.run();
        rig.kill(9);
        assert_eq!(rig.exit_code(), 137);
    });
}

/// C13 and C14: without a shim, the error goes where later the container's
/// output goes.
#[test]
fn a_program_that_is_not_there_is_told_at_once() {
    if !requires(&NEEDS) {
        return;
    }
    for_each(&["bahs"], |rig| {
        let why = rig.refused();
        assert!(why.contains("bahs"), "{why}");
        assert!(rig.runtime.state(rig.id()).is_err(), "a container is left");
    });
}

/// C25: what the container writes last is in the log when its end is known.
#[test]
fn the_last_bytes_are_in_the_log_before_the_exit_file() {
    if !requires(&NEEDS) {
        return;
    }
    for_each(&["sh", "-c", "yes | head -c 60000; echo the end"], |rig| {
        rig.run();
        rig.exit_file();
        assert!(rig.log().ends_with("stdout F the end\n"));
        assert_eq!(rig.text("stdout").len(), 60_000 + "the end\n".len());
    });
}
