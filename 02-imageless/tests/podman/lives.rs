//! A container that lives: exec, top, pause, kill, stop, restart, health.

use crate::podman::on_each_runtime;

/// Ends well, but only if it is asked to.
const OBEDIENT: &str =
    "trap 'exit 4' TERM; echo up; while :; do sleep 0.1; done";

#[test]
fn exec_joins_the_container_as_it_is_told() {
    on_each_runtime(|podman| {
        podman.start(&[]);
        let exec = |options: &[&str], script: &str| {
            let command = ["box", "sh", "-c", script];
            podman.call(&[&["exec"], options, &command].concat())
        };
        let (code, output) = exec(&[], "cat /proc/1/cmdline; exit 5");
        assert_eq!((code, output.contains("sleep")), (Some(5), true));
        let options = ["--user", "1000:1001", "--workdir", "/tmp"];
        let options = [&options[..], &["--env", "A=b"]].concat();
        let (code, output) = exec(&options, "id -u; id -g; pwd; echo $A");
        assert_eq!((code, output.as_str()), (Some(0), "1000\n1001\n/tmp\nb\n"));
        let (code, output) = exec(&["--tty"], "tty");
        assert_eq!((code, output.as_str()), (Some(0), "/dev/pts/0\r\n"));
        let (code, _) = podman.call(&["exec", "box", "bahs"]);
        assert_eq!(code, Some(127));
        let cat = ["exec", "--interactive", "box", "cat"];
        let answer = podman.feed(&cat, b"typed".to_vec());
        assert_eq!(answer, (Some(0), "typed".to_owned()));
    });
}

#[test]
fn top_lists_the_processes_as_the_container_counts_them() {
    on_each_runtime(|podman| {
        podman.start(&[]);
        let top = podman.ok(&["top", "box", "pid", "comm"]);
        let words: Vec<_> = top.split_whitespace().collect();
        assert_eq!(words, ["PID", "COMMAND", "1", "sleep"]);
    });
}

#[test]
fn a_container_is_paused_and_resumed() {
    on_each_runtime(|podman| {
        podman.start(&[]);
        for (verb, status) in [("pause", "paused"), ("unpause", "running")] {
            podman.ok(&[verb, "box"]);
            assert_eq!(podman.inspect("State.Status"), status);
        }
    });
}

#[test]
fn a_container_that_does_not_stop_is_killed() {
    on_each_runtime(|podman| {
        for verb in [&["kill"][..], &["stop", "--time", "0"]] {
            podman.start(&[]);
            podman.ok(&[verb, &["box"]].concat());
            assert_eq!(podman.ok(&["wait", "box"]), "137\n");
            podman.ok(&["rm", "--force", "box"]);
        }
    });
}

#[test]
fn a_container_stops_when_it_is_asked_and_starts_again() {
    on_each_runtime(|podman| {
        podman.run(&["--detach"], &["sh", "-c", OBEDIENT]);
        podman.ok(&["stop", "--time", "20", "box"]);
        assert_eq!(podman.ok(&["wait", "box"]), "4\n");
        assert_eq!(podman.inspect("State.Status"), "exited");
        podman.ok(&["start", "box"]);
        assert_eq!(podman.inspect("State.Status"), "running");
        podman.ok(&["restart", "--time", "0", "box"]);
        assert_eq!(podman.inspect("State.Status"), "running");
    });
}

#[test]
fn a_container_is_healthy_if_its_own_command_says_so() {
    on_each_runtime(|podman| {
        let check = ["--health-cmd", "test -e /tmp/well"];
        let manual = ["--health-interval", "disable"];
        podman.start(&[check, manual].concat());
        let run = ["healthcheck", "run", "box"];
        assert_eq!(podman.call(&run).0, Some(1));
        podman.ok(&["exec", "box", "touch", "/tmp/well"]);
        assert_eq!(podman.call(&run).0, Some(0));
    });
}

#[test]
fn a_container_that_was_only_created_is_started_later() {
    on_each_runtime(|podman| {
        let create = ["create", "--name", "box", "--rootfs", podman.rootfs()];
        podman.ok(&[&create[..], &["echo", "late"]].concat());
        assert_eq!(podman.inspect("State.Status"), "created");
        assert_eq!(podman.ok(&["start", "--attach", "box"]), "late\n");
    });
}
