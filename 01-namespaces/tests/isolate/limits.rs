//! Limits bite, and limits that are none are refused.

use crate::run::{isolate, refusal, stdout};
use testkit::{Need, requires};

/// Fills a shell variable with 100 MB, and says so if it lives to tell.
const HUNGRY: &str = "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo $?";

#[test]
fn a_command_above_the_memory_limit_is_killed_and_the_reason_told() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = ["--memory", "20M", "--", "sh", "-c", HUNGRY];
    let output = isolate(&args);
    assert_eq!(output.status.code(), Some(137), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("over the memory limit"), "{stderr}");
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
    for option in ["--memory", "--pids"] {
        for bad in ["0", "-1", "+5", "", "many", "1.5", "99999999999999999999"]
        {
            let text = refusal(&isolate(&[option, bad, "--", "echo", "ran"]));
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(text.contains(option), "{text}");
        }
    }
}
