//! Exit codes, signals, and what the command inherits.

use crate::run::{BUSY, Running, isolate, refusal, stdout};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::{Command, Output};
use std::time::Duration;
use testkit::{Need, eventually, requires};

fn code(args: &[&str]) -> Option<i32> {
    isolate(args).status.code()
}

#[test]
fn the_exit_code_is_the_command_s() {
    assert_eq!(code(&["sh", "-c", "exit 7"]), Some(7));
    assert_eq!(code(&["sh", "-c", "exit 200"]), Some(200));
}

#[test]
fn a_signal_counts_from_128() {
    assert_eq!(code(&["sh", "-c", "kill -KILL $$"]), Some(137));
    assert_eq!(code(&["sh", "-c", "kill -TERM $$"]), Some(143));
    // 34 has no name: a real-time signal.
    assert_eq!(code(&["sh", "-c", "kill -35 $$"]), Some(163));
}

#[test]
fn a_command_that_is_not_there_is_127() {
    let output = isolate(&["no-such-command"]);
    assert_eq!(output.status.code(), Some(127));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let call = r#"isolate: execve("no-such-command", ..) = ENOENT"#;
    assert!(stderr.starts_with(call), "{stderr}");
}

#[test]
fn a_command_that_may_not_run_is_126() {
    assert_eq!(code(&["/etc/passwd"]), Some(126));
    assert_eq!(code(&["/"]), Some(126));
}

fn is_one_line_and_a_hint(output: &Output) {
    let text = refusal(output);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].starts_with("isolate: "), "{text}");
    assert!(lines[1].starts_with("hint: "), "{text}");
}

#[test]
fn a_bad_command_line_is_refused_in_one_line_with_a_hint() {
    is_one_line_and_a_hint(&isolate(&[]));
    is_one_line_and_a_hint(&isolate(&["--no-such-option", "true"]));
    is_one_line_and_a_hint(&isolate(&["--pids"]));
}

#[test]
fn help_is_no_failure() {
    assert!(stdout(&["--help"]).contains("--hostname"));
}

#[test]
fn the_command_starts_with_every_signal_at_its_default() {
    let status = stdout(&["cat", "/proc/self/status"]);
    for set in ["SigBlk", "SigIgn"] {
        let line = status.lines().find(|line| line.starts_with(set)).unwrap();
        assert!(line.ends_with("\t0000000000000000"), "{line}");
    }
}

#[test]
fn the_command_inherits_nothing_above_stderr() {
    let script = r#"exec 5</dev/null; "$0" -- ls /proc/self/fd"#;
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", script, crate::run::ISOLATE]);
    let fds = crate::run::text(shell.output().unwrap());
    // 3 is the directory that ls(1) reads.
    assert_eq!(fds, "0\n1\n2\n3\n");
}

#[test]
fn a_signal_for_isolate_reaches_the_command() {
    let script = format!("trap 'exit 7' TERM; echo ready; {BUSY}");
    let mut running = Running::start(&["sh", "-c", &script]);
    assert_eq!(running.line(), "ready");
    let pid = Pid::from_raw(running.process.id() as i32);
    kill(pid, Signal::SIGTERM).unwrap();
    let ended = || running.process.try_wait().unwrap();
    let status = eventually(Duration::from_secs(5), "it ends", ended);
    assert_eq!(status.code(), Some(7));
}

#[test]
fn when_isolate_is_killed_the_command_dies_too() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let script = "readlink /proc/self; read go";
    let args = ["-U", "--pid", "--", "sh", "-c", script];
    let mut running = Running::start(&args);
    running.line();
    let parent = running.process.id();
    let children = format!("/proc/{parent}/task/{parent}/children");
    let child = std::fs::read_to_string(children).unwrap();
    running.process.kill().unwrap();
    running.process.wait().unwrap();
    eventually(Duration::from_secs(5), "the command is dead", || {
        let stat = format!("/proc/{}/stat", child.trim());
        let alive = std::fs::read_to_string(stat)
            .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "));
        (!alive).then_some(())
    });
}
