//! The client's promises, on each runtime: what it says is what the runtime
//! observes now, and an error tells what a caller can act on, although every
//! runtime words it differently (pitfall C29).

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use runc_naive::{Create, Force, Runtime, RuntimeError, Status};
use testkit::{Bundle, Need, Scratch};
use testkit::{eventually, requires, runtimes, subreaper};

const DEADLINE: Duration = Duration::from_secs(20);

/// Runs `claim` with each runtime, rooted in a scratch of its own.
fn on_each_runtime(claim: impl Fn(&Runtime, &Scratch)) {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    subreaper();
    for runtime in runtimes() {
        eprintln!("on {}:", runtime.name);
        let scratch = Scratch::new();
        let client = Runtime::new(runtime.program).root(scratch.state_root());
        claim(&client, &scratch);
    }
}

/// Creates a container that sleeps, and returns its pid.
fn create_sleeper(runtime: &Runtime, bundle: &Bundle) -> Pid {
    let pid_file = bundle.path().join("pid");
    let create = Create {
        pid_file: Some(&pid_file),
        ..Create::new(bundle.id(), bundle.path())
    };
    let mut command = runtime.create_command(&create);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status().expect("the runtime runs");
    assert!(status.success(), "create: {status}");
    let pid = std::fs::read_to_string(&pid_file).expect("it wrote a pid file");
    Pid::from_raw(pid.parse().expect("a decimal pid without newline"))
}

fn kill(runtime: &Runtime, id: &str) {
    runtime.kill(id, Signal::SIGKILL as i32).expect("it runs");
    eventually(DEADLINE, "the container has stopped", || {
        let status = runtime.state(id).expect("it is not deleted").status;
        (status == Status::Stopped).then_some(())
    });
}

#[test]
fn a_container_is_seen_in_each_state_of_its_life() {
    on_each_runtime(|runtime, scratch| {
        let bundle = Bundle::busybox(scratch, "life", &["sleep", "1000"]);
        let id = bundle.id();
        let pid = create_sleeper(runtime, &bundle);
        let state = runtime.state(id).unwrap();
        assert_eq!((state.id.as_str(), state.status), (id, Status::Created));
        assert_eq!(state.pid, Some(pid.as_raw()));
        assert_eq!(state.bundle, bundle.path());
        let created = state.created.expect("all three runtimes tell");
        assert!(created.contains('T'), "RFC 3339: {created}");

        runtime.start(id).unwrap();
        let state = runtime.state(id).unwrap();
        assert_eq!(
            (state.status, state.pid),
            (Status::Running, Some(pid.into()))
        );
        let list = runtime.list().unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(
            (list[0].id.as_str(), list[0].status),
            (id, Status::Running)
        );

        kill(runtime, id);
        assert_eq!(runtime.state(id).unwrap().pid, None);
        runtime.delete(id, Force::No).unwrap();
        assert_eq!(runtime.list().unwrap(), []);
        waitpid(pid, None).unwrap();
    });
}

#[test]
fn an_unknown_id_is_not_found_by_any_verb() {
    on_each_runtime(|runtime, _| {
        let verbs = [
            ("state", runtime.state("nobody").map(drop)),
            ("start", runtime.start("nobody")),
            ("kill", runtime.kill("nobody", Signal::SIGTERM as i32)),
            ("delete", runtime.delete("nobody", Force::No)),
        ];
        for (verb, answer) in verbs {
            let Err(RuntimeError::NotFound { id }) = answer else {
                panic!("{verb}: {answer:?}");
            };
            assert_eq!(id, "nobody");
        }
        runtime.delete("nobody", Force::Yes).unwrap();
    });
}

#[test]
fn killing_what_has_stopped_is_told_apart_from_failure() {
    on_each_runtime(|runtime, scratch| {
        let bundle = Bundle::busybox(scratch, "ended", &["sleep", "1000"]);
        let id = bundle.id();
        let pid = create_sleeper(runtime, &bundle);
        runtime.start(id).unwrap();
        kill(runtime, id);
        let answer = runtime.kill(id, Signal::SIGTERM as i32);
        assert!(
            matches!(answer, Err(RuntimeError::NotRunning { .. })),
            "{answer:?}"
        );
        runtime.delete(id, Force::No).unwrap();
        waitpid(pid, None).unwrap();
    });
}

#[test]
fn a_running_container_is_neither_started_again_nor_deleted() {
    on_each_runtime(|runtime, scratch| {
        let bundle = Bundle::busybox(scratch, "busy", &["sleep", "1000"]);
        let id = bundle.id();
        let pid = create_sleeper(runtime, &bundle);
        runtime.start(id).unwrap();
        for answer in [runtime.start(id), runtime.delete(id, Force::No)] {
            assert!(
                matches!(&answer, Err(RuntimeError::Failed { message, .. })
                         if !message.is_empty()),
                "{answer:?}"
            );
        }
        assert_eq!(runtime.state(id).unwrap().status, Status::Running);
        runtime.delete(id, Force::Yes).unwrap();
        waitpid(pid, None).unwrap();
    });
}

#[test]
fn a_failed_create_leaves_its_reason_in_the_log() {
    on_each_runtime(|runtime, scratch| {
        let bundle = Bundle::busybox(scratch, "typo", &["bahs"]);
        let runtime = runtime.clone().log(bundle.path().join("log.json"));
        let create = Create::new(bundle.id(), bundle.path());
        let mut command = runtime.create_command(&create);
        // Nothing stays to hold the pipe of a container that was not created.
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(!output.status.success());
        let message = runtime.error_message(b"what stderr says");
        assert!(message.contains("bahs"), "{message}");
    });
}

#[test]
fn a_runtime_tells_its_name_and_version() {
    on_each_runtime(|runtime, _| {
        let version = runtime.version().unwrap();
        let names = ["runc", "crun", "youki", "imageless"];
        assert!(names.contains(&version.name.as_str()), "{version:?}");
        assert!(version.version.starts_with(|c: char| c.is_ascii_digit()));
        assert!(version.spec.is_some_and(|spec| spec.starts_with("1.")));
    });
}
