//! What isolate(1) says may find no reader: a full disk, a closed pipe. It
//! still ends as it should, and cleans up.

use crate::run::{ISOLATE, refusal};
use std::fs::OpenOptions;
use std::process::{Child, Command, Stdio};
use testkit::{Need, requires};

fn full_disk() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

/// Starts it with a stderr that is a pipe without a reader.
fn without_a_reader(args: &[&str]) -> Child {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    Command::new(ISOLATE).args(args).stderr(writer).spawn().unwrap()
}

#[test]
fn a_failure_that_nobody_can_read_keeps_its_exit_code() {
    for (args, code) in [(["--pids=0", "true"], 125), (["--", "no-such"], 127)]
    {
        let mut isolate = Command::new(ISOLATE);
        let status = isolate.args(args).stderr(full_disk()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn statistics_that_nobody_reads_leave_no_cgroup() {
    if !requires(&[Need::Root]) {
        return;
    }
    let mut isolate = without_a_reader(&["--stats", "--pids=9", "true"]);
    let pid = isolate.id();
    assert_eq!(isolate.wait().unwrap().code(), Some(0));
    assert!(crate::left_behind::cgroups_of(pid).is_empty());
}

#[test]
fn a_plan_on_a_full_disk_is_a_failure_in_one_line() {
    let mut isolate = Command::new(ISOLATE);
    let isolate = isolate.args(["--plan", "true"]).stdout(full_disk());
    let text = refusal(&isolate.stderr(Stdio::piped()).output().unwrap());
    assert!(text.starts_with("isolate: write(stdout) = ENOSPC"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}
