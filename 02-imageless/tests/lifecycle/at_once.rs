//! Everybody calls everything on one container at once: each call ends, with
//! success or one clear error; and in the end there is nothing.

use super::crash::injected;
use super::driver::{Driver, LIMIT, OURS, on_ours};
use serde_json::Value;
use std::fs::File;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};
use testkit::{Need, eventually, requires};

/// For all rounds together.
const TIME: Duration = Duration::from_secs(8);

/// What one of them calls again and again, with what follows the id.
type Call = (&'static [&'static str], &'static [&'static str]);

/// Calls until the time is over, all at once in each round.
fn stress(driver: &Driver, calls: &[Call]) {
    let end = Instant::now() + TIME;
    let mut rounds = 0;
    while Instant::now() < end || rounds < 5 {
        let begin = |(i, (verb, after)): (usize, &Call)| {
            let args = [*verb, &[driver.id()], *after].concat();
            (args.join(" "), i, spawn(driver, &args, i))
        };
        let children: Vec<_> = calls.iter().enumerate().map(begin).collect();
        for (what, i, mut child) in children {
            let status = eventually(LIMIT, &what, || {
                child.try_wait().expect("it is ours")
            });
            let said = driver.read(&format!("said{i}"));
            let failed = status.code().is_some_and(|code| code > 0);
            // `exec` of a program that is killed with the container: 137.
            assert!(status.success() || failed, "{what}: {status} {said}");
            let clear = said.lines().count() <= 2 && !said.contains("panicked");
            assert!(clear, "{what}: {said}");
            assert!(!said.contains("not cleaned up"), "{what}: {said}");
        }
        rounds += 1;
    }
    driver.ok(&["delete", "--force"]);
}

fn spawn(driver: &Driver, args: &[&str], i: usize) -> Child {
    let file = |name| File::create(driver.scratch.path().join(name));
    let mut command = driver.command(args);
    command.stdout(file(format!("out{i}")).expect(OURS));
    command.stderr(file(format!("said{i}")).expect(OURS));
    command.spawn().expect("the runtime was found")
}

const CREATE: Call = (&["create"], &[]);
const START: Call = (&["start"], &[]);
const KILL: Call = (&["kill"], &["KILL"]);
const DELETE: Call = (&["delete"], &[]);
const FORCE: Call = (&["delete", "--force"], &[]);
const STATE: Call = (&["state"], &[]);
const EXEC: Call = (&["exec"], &["true"]);

/// A `create` that is late: its container was deleted, and there is another of
/// that name, which is not to be touched.
#[test]
fn a_create_whose_container_was_replaced_fails_and_leaves_the_other_alone() {
    if !requires(&[Need::Program("strace")]) {
        return;
    }
    // Before it makes the FIFO, and before it makes init.
    for call in ["mknodat", "clone3"] {
        on_ours(&["sleep", "60"], |driver| {
            create_while_one_is_late(driver, call)
        });
    }
}

fn create_while_one_is_late(driver: &Driver, call: &str) {
    let dir = driver.scratch.state_root().join(driver.id());
    thread::scope(|scope| {
        let late = scope.spawn(|| {
            let delay = "delay_enter=3000000:when=1";
            injected(driver, "create", call, delay).status
        });
        eventually(LIMIT, "the late one has begun", || {
            dir.join("state.json").exists().then_some(())
        });
        for args in [&["delete", "--force"][..], &["create"]] {
            let args = [args, &[driver.id()]].concat();
            let status = spawn(driver, &args, 0).wait().expect("ours");
            assert!(status.success(), "{}", driver.read("said0"));
        }
        assert!(!late.join().expect("it does not panic").success());
    });
    assert_eq!(driver.status(), "created");
    driver.ok(&["start"]);
    assert_eq!(driver.status(), "running");
    driver.ok(&["delete", "--force"]);
}

#[test]
fn creates_and_deletes_at_once_leave_nothing() {
    on_ours(&["sleep", "60"], |driver| {
        stress(driver, &[CREATE, FORCE, CREATE, FORCE, CREATE, STATE]);
    });
}

#[test]
fn starts_kills_and_deletes_at_once_leave_nothing() {
    on_ours(&["sleep", "60"], |driver| {
        let all = [CREATE, START, KILL, DELETE, STATE, START, EXEC, FORCE];
        stress(driver, &all);
    });
}

#[test]
fn a_state_that_is_printed_meanwhile_is_whole() {
    on_ours(&["sleep", "60"], |driver| {
        let end = Instant::now() + TIME / 2;
        while Instant::now() < end {
            let mut create = spawn(driver, &["create", driver.id()], 0);
            while create.try_wait().expect("it is ours").is_none() {
                let answer = driver.verb(&["state"]);
                let state: Result<Value, _> =
                    serde_json::from_str(&answer.stdout);
                let absent = answer.stderr.contains("does not exist");
                assert!(state.is_ok() || absent, "{answer:?}");
            }
            driver.ok(&["delete", "--force"]);
        }
    });
}
