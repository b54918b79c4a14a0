//! The pitfalls of driving a runtime from code, by number (C4), each proven by
//! what the kernel says: on the reference runtime first, then on ours. The
//! cures are tests of stage 04.

mod rig;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::thread;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use rig::{DEADLINE, Rig, children, has_signal, on_each_runtime, pipes};
use rig::{process_state, reap};
use runc_naive::{Create, Force, RuntimeError, Status};
use testkit::eventually;

/// C4: the article's container, which notes the signal that it gets.
#[test]
fn a_container_with_a_handler_gets_sigpipe_when_its_launcher_ends() {
    on_each_runtime(|rig| {
        let script = "trap 'echo SIGPIPE > /var/trap.log; exit 4' PIPE; \
                      while true; do echo tick; sleep 0.05; done";
        let bundle = rig.bundle("trap", &["sh", "-c", script]);
        let printed = rig.run_example("launcher_dies", &bundle);
        let pid = printed.pid_after("container process ");
        assert!(printed.has("tick\ntick\ntick\n"), "{printed:?}");

        rig.wait_for("launcher-dies", Status::Stopped);
        assert_eq!(reap(pid), WaitStatus::Exited(pid, 4));
        let note = fs::read_to_string(bundle.rootfs().join("var/trap.log"));
        assert_eq!(note.unwrap(), "SIGPIPE\n");
        rig.runtime.delete("launcher-dies", Force::No).unwrap();
    });
}

// ANCHOR: immune
/// C5: what the articles leave out. PID 1 of a pid namespace is spared signals
/// that it has no handler for: signal(7), pid_namespaces(7).
#[test]
fn pid_1_without_a_handler_survives_its_launcher_and_gets_epipe() {
    on_each_runtime(|rig| {
        let script = "while true; do \
                      echo tick || echo EPIPE >> /var/epipe.log; \
                      sleep 0.05; done";
        let bundle = rig.bundle("immune", &["sh", "-c", script]);
        let printed = rig.run_example("launcher_dies", &bundle);
        let pid = printed.pid_after("container process ");

        let log = bundle.rootfs().join("var/epipe.log");
        eventually(DEADLINE, "two writes fail with EPIPE", || {
            let text = fs::read_to_string(&log).ok()?;
            (text.lines().count() >= 2).then_some(())
        });
        let state = rig.runtime.state("launcher-dies").unwrap();
        assert_eq!(
            (state.status, state.pid),
            (Status::Running, Some(pid.into()))
        );
        assert!(!has_signal(pid, "SigIgn", Signal::SIGPIPE));
        assert!(!has_signal(pid, "SigCgt", Signal::SIGPIPE));
        rig.kill_and_delete("launcher-dies", pid);
    });
}
// ANCHOR_END: immune

/// C5, the other half: the signal is real for everybody else in the container.
#[test]
fn a_child_of_pid_1_is_killed_by_sigpipe_when_the_launcher_ends() {
    on_each_runtime(|rig| {
        let script = "yes; echo $? > /var/child; exec sleep 1000";
        let bundle = rig.bundle("child", &["sh", "-c", script]);
        let printed = rig.run_example("launcher_dies", &bundle);

        let child = bundle.rootfs().join("var/child");
        let code = eventually(DEADLINE, "the child's exit code", || {
            fs::read_to_string(&child).ok().filter(|text| text.ends_with('\n'))
        });
        assert_eq!(code, format!("{}\n", 128 + Signal::SIGPIPE as i32));
        let pid = printed.pid_after("container process ");
        rig.kill_and_delete("launcher-dies", pid);
    });
}

/// C6: the launcher waits, though the process that it started has ended.
#[test]
fn capturing_the_output_of_run_waits_for_the_container() {
    on_each_runtime(|rig| {
        let bundle = rig.bundle("gate", &["sh", "-c", Rig::WAIT_AT_GATE]);
        let mut example = rig.example("captured_output", &bundle);
        let launcher = example.stdout(Stdio::piped()).spawn().unwrap();
        let state = rig.wait_for("captured-output", Status::Running);

        let (launcher_pid, pid) = (
            Pid::from_raw(launcher.id() as i32),
            Pid::from_raw(state.pid.unwrap()),
        );
        eventually(DEADLINE, "the runtime has ended", || {
            let runtime = *children(launcher_pid).first()?;
            (process_state(runtime) == Some('Z')).then_some(())
        });
        assert_eq!(process_state(launcher_pid), Some('S'), "it still waits");
        assert!(!pipes(launcher_pid).is_disjoint(&pipes(pid)), "for whom?");

        rig.open_gate(&bundle);
        let output = launcher.wait_with_output().unwrap();
        let output = String::from_utf8_lossy(&output.stdout);
        assert!(output.ends_with("through the gate\n"), "{output}");
        reap(pid);
        rig.runtime.delete("captured-output", Force::No).unwrap();
    });
}

/// C6 again, and worse: nobody can say `start` to a container whose `create`
/// has not returned.
#[test]
fn capturing_the_output_of_create_waits_for_a_container_that_waits_for_start() {
    on_each_runtime(|rig| {
        let bundle = rig.bundle("made", &["echo", "hi"]);
        let id = bundle.id();
        let create = Create::new(id, bundle.path());
        let mut command = rig.runtime.create_command(&create);
        let captured = thread::spawn(move || command.output().unwrap());

        let state = rig.wait_for(id, Status::Created);
        assert!(!captured.is_finished(), "the container holds the pipe");
        rig.runtime.start(id).unwrap();
        assert_eq!(captured.join().unwrap().stdout, b"hi\n");
        reap(Pid::from_raw(state.pid.unwrap()));
        rig.runtime.delete(id, Force::No).unwrap();
    });
}

/// C8: the launcher has no claim to the exit code, the runtime no field for it.
#[test]
fn the_exit_code_of_a_detached_container_reaches_neither_launcher_nor_runtime()
{
    on_each_runtime(|rig| {
        let bundle = rig.bundle("seven", &["sh", "-c", "exit 7"]);
        let printed = rig.run_example("lost_exit_code", &bundle);
        let pid = printed.pid_after("waitpid(");
        assert!(
            printed.has(&format!("waitpid({pid}) = ECHILD")),
            "{printed:?}"
        );

        rig.wait_for("lost-exit-code", Status::Stopped);
        let state = rig.raw_state("lost-exit-code");
        let fields: Vec<_> = state.as_object().unwrap().keys().collect();
        assert!(!fields.iter().any(|name| name.contains("exit")), "{fields:?}");
        // The kernel kept it all the time, for the parent: here this test.
        assert_eq!(reap(pid), WaitStatus::Exited(pid, 7));
        rig.runtime.delete("lost-exit-code", Force::No).unwrap();
    });
}

/// C9: the one way to the exit code without a shim.
#[test]
fn in_the_foreground_the_runtime_ends_as_the_container_does_and_cleans_up() {
    on_each_runtime(|rig| {
        let bundle = rig.bundle("answer", &["sh", "-c", "exit 42"]);
        let printed = rig.run_example("foreground", &bundle);
        assert!(
            printed.has("exit status: 42\nit has cleaned up"),
            "{printed:?}"
        );

        let bundle = rig.bundle("killed", &["sleep", "1000"]);
        let mut example = rig.example("foreground", &bundle);
        let launcher = example.stdout(Stdio::piped()).spawn().unwrap();
        rig.wait_for("foreground", Status::Running);
        rig.runtime.kill("foreground", Signal::SIGKILL as i32).unwrap();
        let output = launcher.wait_with_output().unwrap().stdout;
        let output = String::from_utf8_lossy(&output);
        assert!(output.contains("exit status: 137\nit has"), "{output}");
    });
}

/// C13, first kind: the runtime looks for the program before anything runs.
#[test]
fn a_program_that_is_not_there_fails_create_and_leaves_nothing() {
    on_each_runtime(|rig| {
        let bundle = rig.bundle("typo", &["bahs"]);
        let printed = rig.run_example("two_failures", &bundle);
        assert!(printed.has("create: exit status: "), "{printed:?}");
        assert!(!printed.has("create: exit status: 0"), "{printed:?}");
        assert!(printed.has("bahs"), "{printed:?}");
        let state = rig.runtime.state("two-failures");
        assert!(matches!(state, Err(RuntimeError::NotFound { .. })));
    });
}

/// C13, second kind: nobody can tell before execve(2), and that is after start.
#[test]
fn a_program_that_is_no_program_fails_in_the_container_after_create() {
    on_each_runtime(|rig| {
        let bundle = rig.bundle("format", &["/bin/noise"]);
        let program = bundle.rootfs().join("bin/noise");
        fs::write(&program, "\0\0\0\0").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let printed = rig.run_example("two_failures", &bundle);
        assert!(printed.has("create: exit status: 0\n"), "{printed:?}");
        rig.wait_for("two-failures", Status::Stopped);
        assert!(printed.has("start: Ok(())\n"), "{printed:?}");
        assert!(printed.has("format error"), "{printed:?}");
        let pid = printed.pid_after("container process ");
        assert_ne!(reap(pid), WaitStatus::Exited(pid, 0));
        rig.runtime.delete("two-failures", Force::No).unwrap();
    });
}

/// C27: sent with success, and dropped by the kernel when it was sent.
#[test]
fn sigterm_does_not_reach_a_pid_1_without_a_handler() {
    on_each_runtime(|rig| {
        let script = "echo ready; exec sleep 1000";
        let bundle = rig.bundle("sleeper", &["sh", "-c", script]);
        let printed = rig.run_example("ignored_term", &bundle);
        assert!(printed.has("after SIGTERM: running"), "{printed:?}");
        let pid = printed.pid_after("pid ");
        assert!(
            !has_signal(pid, "ShdPnd", Signal::SIGTERM),
            "not even pending"
        );
        assert!(!has_signal(pid, "SigIgn", Signal::SIGTERM), "nor ignored");
        assert_eq!(process_state(pid), Some('S'));
        rig.kill_and_delete("ignored-term", pid);
    });
}
