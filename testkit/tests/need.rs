//! A skip has to be seen: on the real stderr, in the list of skips, and as a
//! failure where nothing may be skipped. Each test runs itself once more, as a
//! test harness does, to look at it from outside.

use std::fs;
use std::panic::catch_unwind;
use std::process::{Command, Output};
use std::time::Duration;

use testkit::{Need, Scratch, eventually, requires};

const INNER: &str = "TESTKIT_INNER";

/// Runs one test of this file in a harness of its own, and captured.
fn harness(test: &str, variables: &[(&str, &str)]) -> Output {
    let program = std::env::current_exe().expect("/proc/self/exe is readable");
    let mut command = Command::new(program);
    command.args(["--exact", test]).env(INNER, "1");
    command.env_remove("CONMAN_SKIPS").env_remove("CONMAN_REQUIRE_ALL");
    command.envs(variables.iter().copied());
    command.output().expect("the harness runs")
}

#[test]
fn a_missing_program_is_a_loud_and_counted_skip() {
    if std::env::var_os(INNER).is_some() {
        assert!(!requires(&[Need::Program("no-such-program")]));
        return;
    }
    let name = "a_missing_program_is_a_loud_and_counted_skip";
    let line = format!(
        "SKIP {name}: needs the program no-such-program on PATH: install it\n"
    );
    let scratch = Scratch::new();
    let skips = scratch.path().join("skips");
    let file = skips.to_str().unwrap();
    let output = harness(name, &[("CONMAN_SKIPS", file)]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), line);
    assert_eq!(fs::read_to_string(&skips).unwrap(), line);

    let output = harness(name, &[("CONMAN_REQUIRE_ALL", "1")]);
    assert!(!output.status.success(), "nothing may be skipped: {output:?}");
}

#[test]
fn what_is_there_is_not_skipped() {
    assert!(requires(&[Need::Program("sh"), Need::Program("/bin/sh")]));
}

#[test]
fn an_older_kernel_is_there_and_a_newer_one_is_missing() {
    assert!(requires(&[Need::Kernel(2, 6), Need::Kernel(5, 14)]));
    let name = "an_older_kernel_is_there_and_a_newer_one_is_missing";
    if std::env::var_os(INNER).is_some() {
        assert!(!requires(&[Need::Kernel(999, 0)]));
        return;
    }
    let output = harness(name, &[]);
    let line = format!("SKIP {name}: needs Linux 999.0 or newer: boot one\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), line);
}

#[test]
fn what_does_not_happen_is_named() {
    let panic = catch_unwind(|| {
        eventually(Duration::ZERO, "the moon falls", || None::<()>)
    });
    let message = *panic.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(message, "not within 0ns: the moon falls");
}
