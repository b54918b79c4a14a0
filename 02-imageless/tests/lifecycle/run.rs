//! `run`: the container's exit code, its signals, and nothing left behind.

use super::driver::{LIMIT, on_each_runtime};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use testkit::eventually;

#[test]
fn run_exits_as_the_container_did_and_deletes_it() {
    on_each_runtime(&[], |driver| {
        for code in [0, 7, 200] {
            driver.set_script(&format!("exit {code}"));
            let answer = driver.verb(&["run"]);
            assert_eq!(answer.status.code(), Some(code), "{answer:?}");
            driver.fails(&["state"]);
        }
    });
}

#[test]
fn run_exits_with_128_plus_the_signal_that_ended_the_container() {
    on_each_runtime(&["sleep", "60"], |driver| {
        let run = driver.command(&["run", driver.id()]).spawn().unwrap();
        eventually(LIMIT, "the container runs", || {
            let state = driver.verb(&["state"]);
            state.stdout.contains("\"running\"").then_some(())
        });
        driver.ok(&["kill", "KILL"]);
        assert_eq!(driver.answer(run).status.code(), Some(137));
    });
}

#[test]
fn a_signal_to_the_runtime_reaches_the_container() {
    on_each_runtime(&[], |driver| {
        driver.set_script("trap 'exit 9' TERM; echo ready; sleep 60 & wait");
        let run = driver.spawn(&["run", driver.id()]);
        eventually(LIMIT, "the trap is set", || {
            (driver.read("stdout") == "ready\n").then_some(())
        });
        kill(Pid::from_raw(run.id() as i32), Signal::SIGTERM).unwrap();
        assert_eq!(driver.answer(run).status.code(), Some(9));
    });
}

#[test]
fn a_detached_run_returns_while_the_container_runs() {
    on_each_runtime(&["sleep", "60"], |driver| {
        driver.ok(&["run", "--detach"]);
        assert_eq!(driver.status(), "running");
        driver.ok(&["delete", "--force"]);
    });
}
