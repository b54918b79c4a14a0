//! Standard streams and other descriptors: every byte, in and out.

use crate::podman::on_each_runtime;
use std::fs;
use std::process::Command;

/// More than any pipe, socket or buffer on the way holds.
const MANY: usize = 20_000_000;

#[test]
fn twenty_megabytes_go_in() {
    on_each_runtime(|podman| {
        let run = podman.run_arguments(&["--rm", "-i"], &["wc", "-c"]);
        let (code, output) = podman.feed(&run, vec![b'x'; MANY]);
        assert_eq!((code, output.trim()), (Some(0), "20000000"));
    });
}

#[test]
fn twenty_megabytes_come_out() {
    on_each_runtime(|podman| {
        let script = "head -c 20000000 /dev/zero | tr '\\0' x";
        let (code, output) = podman.sh(&[], script);
        assert_eq!((code, output.len()), (Some(0), MANY));
        assert!(output.bytes().all(|byte| byte == b'x'));
    });
}

#[test]
fn standard_error_is_not_standard_output() {
    on_each_runtime(|podman| {
        let answer = podman.sh(&[], "echo out; echo error >&2");
        assert_eq!(answer, (Some(0), "out\n".to_owned()));
    });
}

#[test]
fn descriptors_that_podman_preserves_get_in() {
    on_each_runtime(|podman| {
        let file = podman.scratch.path().join("file");
        fs::write(&file, "by its number\n").expect("the directory is ours");
        let options = ["--rm", "--preserve-fds", "1"];
        let run = podman.run_arguments(&options, &["sh", "-c", "cat <&3"]);
        let podman = podman.command(&run);
        // Nobody but a shell opens a descriptor by a number.
        let mut sh = Command::new("sh");
        sh.args(["-c", "exec 3<\"$0\"; exec \"$@\""]).arg(&file);
        sh.arg(podman.get_program()).args(podman.get_args());
        for (name, value) in podman.get_envs() {
            sh.env(name, value.expect("nothing is removed"));
        }
        let output = sh.output().expect("sh is there");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text, "by its number\n", "{output:?}");
    });
}

#[test]
fn the_log_has_what_was_printed_and_stays_as_short_as_was_asked_for() {
    on_each_runtime(|podman| {
        podman.run(&[], &["sh", "-c", "echo out; echo error >&2"]);
        assert_eq!(podman.ok(&["logs", "box"]), "out\n");
        podman.ok(&["rm", "box"]);

        let options = ["--log-opt", "max-size=10k"];
        podman.run(&options, &["seq", "1", "5000"]);
        let log = podman.ok(&["logs", "box"]);
        assert!(log.ends_with("\n5000\n"), "{}", log.len());
        assert!(!log.starts_with("1\n"), "{}", log.len());
    });
}

#[test]
fn a_log_driver_may_pass_everything_through_or_keep_nothing() {
    on_each_runtime(|podman| {
        for driver in ["passthrough", "none"] {
            let answer = podman.sh(&["--log-driver", driver], "echo out");
            assert_eq!(answer, (Some(0), "out\n".to_owned()), "{driver}");
        }
    });
}

#[test]
fn who_attaches_talks_with_the_program() {
    on_each_runtime(|podman| {
        podman.run(&["--detach", "--interactive"], &["sh"]);
        let said = b"echo $((6 * 7)); exit 5\n".to_vec();
        let (_, output) = podman.feed(&["attach", "box"], said);
        assert!(output.contains("42\n"), "{output}");
        assert_eq!(podman.ok(&["wait", "box"]), "5\n");
    });
}
