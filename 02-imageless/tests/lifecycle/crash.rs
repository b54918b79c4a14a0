//! The runtime raced against itself, and stopped at chosen moments.

use super::driver::{Driver, OURS, on_ours};
use serde_json::Value;
use std::fs::{self, File};
use std::process::{Command, ExitStatus, Stdio};

#[test]
fn of_many_creates_with_one_id_exactly_one_wins() {
    on_ours(&["sleep", "60"], |driver| {
        let create = || {
            let mut command = driver.command(&["create", driver.id()]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let creates: Vec<_> = (0..8).map(|_| create()).collect();
        let won = creates.into_iter().map(|mut child| child.wait().unwrap());
        assert_eq!(won.filter(|status| status.success()).count(), 1);
        assert_eq!(driver.status(), "created");
        driver.ok(&["start"]);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn of_many_starts_exactly_one_wins() {
    on_ours(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        let start = || {
            let mut command = driver.command(&["start", driver.id()]);
            command.stderr(Stdio::null()).spawn().unwrap()
        };
        let starts: Vec<_> = (0..8).map(|_| start()).collect();
        let won = starts.into_iter().map(|mut child| child.wait().unwrap());
        assert_eq!(won.filter(|status| status.success()).count(), 1);
        driver.ok(&["delete", "--force"]);
    });
}

/// Calls a verb, of whose system calls some meet with a fault.
pub(crate) fn injected(
    driver: &Driver,
    verb: &str,
    call: &str,
    fault: &str,
) -> Output {
    let traced = Traced { options: &[], args: &[verb, driver.id()] };
    injected_into(driver, &traced, call, fault)
}

/// A call of the runtime under strace(1).
pub(crate) struct Traced<'a> {
    /// More options for strace: `-f` for init too.
    pub(crate) options: &'a [&'a str],
    /// The runtime's.
    pub(crate) args: &'a [&'a str],
}

/// Calls the runtime so.
pub(crate) fn injected_into(
    driver: &Driver,
    traced: &Traced<'_>,
    call: &str,
    fault: &str,
) -> Output {
    let runtime = driver.command(traced.args);
    let mut strace = Command::new("strace");
    strace.args(traced.options);
    strace.args(["-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.arg("-e").arg(format!("inject={call}:{fault}"));
    strace.arg(runtime.get_program()).args(runtime.get_args());
    strace.current_dir(driver.bundle.path()).stdin(Stdio::null());
    let file = |name| {
        let file = File::create(driver.scratch.path().join(name));
        file.expect(OURS)
    };
    // Not pipes: a created container would keep them open.
    strace.stdout(file("stdout")).stderr(file("stderr"));
    let status = strace.status().expect("strace was found");
    Output { status, stderr: driver.read("stderr") }
}

/// What a call with faults came to.
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    stderr: String,
}

#[test]
fn a_start_that_is_killed_before_it_has_started_can_be_repeated() {
    if !testkit::requires(&[testkit::Need::Program("strace")]) {
        return;
    }
    on_ours(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        // Init has seen it open the FIFO and close it again.
        injected(driver, "start", "unlink", "signal=KILL");
        assert_eq!(driver.status(), "created");
        driver.ok(&["start"]);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn the_loser_of_a_start_race_says_that_it_was_started() {
    if !testkit::requires(&[testkit::Need::Program("strace")]) {
        return;
    }
    on_ours(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        // Between its open and its unlink the other one was faster.
        let output = injected(driver, "start", "unlink", "error=ENOENT");
        assert_eq!(
            output.stderr,
            "imageless: the container cannot be started: it was started \
             already\n"
        );
        driver.ok(&["delete", "--force"]);
    });
}

/// A `create` that was killed between the record of its cgroup's path and the
/// look into the cgroup leaves a state without an init.
#[test]
fn what_has_no_init_has_no_process_to_kill() {
    on_ours(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        let left = driver.scratch.state_root().join("left");
        fs::create_dir(&left).expect(OURS);
        let state = driver.scratch.state_root().join(driver.id());
        let state = fs::read(state.join("state.json")).expect(OURS);
        let mut state: Value = serde_json::from_slice(&state).expect(OURS);
        state["init"] = Value::Null;
        fs::write(left.join("state.json"), state.to_string()).expect(OURS);
        let answer = driver.call(&["kill", "--all", "left", "KILL"]);
        assert!(answer.stderr.contains("container not running"), "{answer:?}");
        let answer = driver.call(&["delete", "--force", "left"]);
        assert!(answer.status.success() && !left.exists(), "{answer:?}");
        assert_eq!(driver.status(), "created");
        driver.ok(&["delete"]);
    });
}

#[test]
fn a_cgroup_in_use_is_refused_before_it_is_recorded() {
    on_ours(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        let answer = driver.call(&["create", "other"]);
        let start = "imageless: config.json: linux.cgroupsPath: mkdir(";
        assert!(answer.stderr.starts_with(start), "{answer:?}");
        assert_eq!(driver.status(), "created");
        driver.ok(&["delete"]);
    });
}
