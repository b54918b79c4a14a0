//! Limits bite, and limits that are none are refused.

use crate::run::{isolate, refusal, stdout};
use testkit::{Need, requires};

/// Fills a shell variable with 30 MB, and says so if it lives to tell.
const HUNGRY: &str = "x=$(head -c 30000000 /dev/zero | tr '\\0' x); echo $?";

#[test]
fn a_command_above_the_memory_limit_is_killed_and_the_reason_told() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = ["--memory", "20M", "--", "sh", "-c", HUNGRY];
    let output = isolate(&args);
    assert_eq!(output.status.code(), Some(137), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    let told = "isolate: the OOM killer ended a process: memory limit 20M \
                (memory.";
    // The shell may lose another process first, and say so.
    assert!(stderr.lines().any(|line| line.starts_with(told)), "{stderr}");
}

#[test]
fn a_command_below_the_memory_limit_is_not_disturbed() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = ["--memory", "1G", "--", "sh", "-c", HUNGRY];
    assert_eq!(stdout(&args), "0\n");
}

#[test]
fn at_the_pids_limit_fork_fails() {
    if !requires(&[Need::Root]) {
        return;
    }
    // The shell and three more.
    let script = "for i in 1 2 3 4 5; do sleep 1000 & done; echo survived";
    let output = isolate(&["--pids", "4", "--", "sh", "-c", script]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("fork"), "{stderr}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_limit_that_is_no_amount_is_refused_before_anything_is_done() {
    let bad = ["0", "-1", "+5", "", "many", "1.5", "99999999999999999999"];
    let amounts = ["--memory", "--memory-high", "--pids", "--cpu-weight"];
    let each = |option| bad.map(|value| (option, value));
    let others = [
        ("--cpus", "0"),
        ("--cpus", "-1"),
        ("--cpus", "100000"),
        ("--cpuset", ""),
        ("--cpuset", "3-1"),
        ("--swap", "-1"),
        ("--io-max", "8:0"),
        ("--io-max", "/dev/null:rbps=1M"),
    ];
    for (option, value) in amounts.into_iter().flat_map(each).chain(others) {
        let text = refusal(&isolate(&[option, value, "--", "echo", "ran"]));
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains(option), "{text}");
    }
}

#[test]
fn limits_and_placement_reach_the_command() {
    if !requires(&[Need::Root]) {
        return;
    }
    let show = "grep Cpus_allowed_list /proc/self/status";
    let args = ["--cpuset", "0", "--cpu-weight", "50", "--", "sh", "-c", show];
    assert_eq!(stdout(&args), "Cpus_allowed_list:\t0\n");
}

#[test]
fn at_the_end_it_tells_what_was_used_if_asked_to() {
    if !requires(&[Need::Root]) {
        return;
    }
    // Ten periods in which it wants a processor, and gets a fiftieth of one,
    // which is there on a busy machine too.
    let busy = ["--", "timeout", "1", "sh", "-c", "while :; do :; done"];
    let args = ["--stats", "--cpus", "0.02", "--pids", "9", "--memory", "64M"];
    let output = isolate(&[&args[..], &busy].concat());
    let told = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = told.lines().collect();
    assert!(lines[0].starts_with("isolate: memory: at most "), "{told}");
    assert!(lines[0].contains(" of 64M, "), "{told}");
    assert!(lines[1].starts_with("isolate: cpu: "), "{told}");
    assert!(!lines[1].contains(" held back in 0 of"), "{told}");
    assert_eq!(lines[2], "isolate: pids: limit 9, refused 0 forks");
}

#[test]
fn a_limit_that_the_kernel_refuses_names_the_file_and_what_it_accepts() {
    if !requires(&[Need::Root]) {
        return;
    }
    for (option, value, accepts) in [
        ("--cpuset", "8000", "cpuset.cpus accepts 0"),
        ("--pids", "99999999999", "pids.max accepts 0 to 4194304, or max"),
        ("--io-max", "4095:7:rbps=1M", " accepts a whole disk"),
    ] {
        let text = refusal(&isolate(&[option, value, "--", "echo", "ran"]));
        let (_, hint) = text.split_once("\nhint: ").unwrap();
        assert!(hint.contains(accepts), "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
