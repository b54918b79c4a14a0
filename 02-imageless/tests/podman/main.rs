//! podman, with its conmon, on runc first and then on ours: the calls, files
//! and words are those of a real engine.

mod podman;

use podman::{Podman, on_each_runtime};

/// Runs `script` in a new container; its exit code and output.
fn sh(
    podman: &Podman,
    options: &[&str],
    script: &str,
) -> (Option<i32>, String) {
    podman.run(&[&["--rm"], options].concat(), &["sh", "-c", script])
}

#[test]
fn run_gives_the_output_and_the_exit_code() {
    on_each_runtime(|podman| {
        let answer = sh(podman, &[], "echo hello; exit 7");
        assert_eq!(answer, (Some(7), "hello\n".to_owned()));
    });
}

#[test]
fn a_program_that_is_not_there_is_127() {
    on_each_runtime(|podman| {
        let (code, _) = podman.run(&["--rm"], &["bahs"]);
        assert_eq!(code, Some(127));
    });
}

#[test]
fn run_with_a_terminal_gives_one() {
    on_each_runtime(|podman| {
        let answer = sh(podman, &["--tty"], "tty");
        assert_eq!(answer, (Some(0), "/dev/pts/0\r\n".to_owned()));
    });
}

#[test]
fn options_reach_the_container() {
    on_each_runtime(|podman| {
        for (options, script, output) in [
            (&["--user", "1000:1001"][..], "id -u; id -g", "1000\n1001\n"),
            (
                &["--cap-drop", "ALL"],
                "grep -c 'CapEff.*0\\{16\\}' /proc/self/status",
                "1\n",
            ),
            (
                &["--read-only", "--read-only-tmpfs=false"],
                "touch /x 2>/dev/null || echo no",
                "no\n",
            ),
            (&["--env", "A=b"], "echo $A", "b\n"),
            (&[], "grep Seccomp: /proc/self/status", "Seccomp:\t2\n"),
            (&["--hostname", "box"], "hostname", "box\n"),
            (&["--workdir", "/tmp"], "pwd", "/tmp\n"),
        ] {
            let answer = sh(podman, options, script);
            assert_eq!(answer, (Some(0), output.to_owned()), "{options:?}");
        }
    });
}

#[test]
fn exec_joins_the_container() {
    on_each_runtime(|podman| {
        podman.start();
        let command =
            ["exec", "box", "sh", "-c", "cat /proc/1/cmdline; exit 5"];
        let (code, output) = podman.call(&command);
        assert_eq!((code, output.contains("sleep")), (Some(5), true));
        let (code, output) = podman.call(&["exec", "--tty", "box", "tty"]);
        assert_eq!((code, output.as_str()), (Some(0), "/dev/pts/0\r\n"));
    });
}

#[test]
fn a_container_is_paused_and_resumed() {
    on_each_runtime(|podman| {
        podman.start();
        for (verb, status) in [("pause", "paused"), ("unpause", "running")] {
            assert_eq!(podman.call(&[verb, "box"]).0, Some(0));
            assert_eq!(podman.status(), status);
        }
    });
}

#[test]
fn a_container_is_killed_and_stopped() {
    on_each_runtime(|podman| {
        for verb in [&["kill"][..], &["stop", "--time", "0"]] {
            podman.start();
            assert_eq!(podman.call(&[verb, &["box"]].concat()).0, Some(0));
            let (code, output) = podman.call(&["wait", "box"]);
            assert_eq!((code, output.as_str()), (Some(0), "137\n"));
            podman.call(&["rm", "--force", "box"]);
        }
    });
}

#[test]
fn statistics_are_those_of_the_container() {
    on_each_runtime(|podman| {
        podman.start();
        let format = ["--no-stream", "--format", "{{.PIDs}}"];
        let stats = [&["stats"], &format[..], &["box"]].concat();
        assert_eq!(podman.call(&stats), (Some(0), "1\n".to_owned()));
    });
}
