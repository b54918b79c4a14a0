//! Nothing is left behind, however it ends: no cgroup, no process, no mount.

use crate::run::{ISOLATE, Running, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use testkit::{Need, eventually, requires};

pub(crate) const NONE: [PathBuf; 0] = [];

/// Lists the cgroups that the isolate(1) with that pid has made.
pub(crate) fn cgroups_of(isolate: u32) -> Vec<PathBuf> {
    let mut found = Vec::new();
    find(
        Path::new("/sys/fs/cgroup"),
        &format!("isolate-{isolate}"),
        &mut found,
    );
    found
}

fn find(dir: &Path, name: &str, found: &mut Vec<PathBuf>) {
    // Cgroups of other tests vanish while we look.
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        match path.file_name().is_some_and(|last| last == name) {
            true => found.push(path),
            false if path.is_dir() && !path.is_symlink() => {
                find(&path, name, found);
            }
            false => {}
        }
    }
}

fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn the_cgroup_is_there_while_the_command_runs_and_gone_after() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = ["--pids", "9", "--", "sh", "-c", "echo ready; read go"];
    let mut running = Running::start(&args);
    running.line();
    let pid = running.process.id();
    assert!(!cgroups_of(pid).is_empty());
    assert_eq!(running.finish(), Some(0));
    assert_eq!(cgroups_of(pid), NONE);
}

#[test]
fn the_cgroup_is_gone_after_the_command_was_killed() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = ["--pids", "9", "--", "sh", "-c", "echo $$; read go"];
    let mut running = Running::start(&args);
    let command = Pid::from_raw(running.line().parse().unwrap());
    let pid = running.process.id();
    kill(command, Signal::SIGKILL).unwrap();
    assert_eq!(running.process.wait().unwrap().code(), Some(137));
    assert_eq!(cgroups_of(pid), NONE);
}

#[test]
fn what_the_command_left_running_in_the_cgroup_is_killed() {
    if !requires(&[Need::Root]) {
        return;
    }
    let script = "setsid sleep 1000 >/dev/null & echo $!";
    let args = ["--pids", "9", "--", "sh", "-c", script];
    let sleeper = text(Command::new(ISOLATE).args(args).output().unwrap());
    let what = "the process in the background is dead";
    eventually(Duration::from_secs(5), what, || {
        (!is_alive(sleeper.trim())).then_some(())
    });
}

#[test]
fn the_cgroup_is_gone_when_something_failed_after_it_was_made() {
    if !requires(&[Need::Root]) {
        return;
    }
    for args in [
        &["--pids", "9", "--", "no-such-command"][..],
        &["--pids", "9", "--rootfs", "/etc/passwd", "--", "true"],
        // Above what the controller takes: a failure in the parent.
        &["--pids", "99999999999", "--", "true"],
    ] {
        let mut command = Command::new(ISOLATE);
        let command = command.args(args).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        assert!(!process.wait().unwrap().success(), "{args:?}");
        assert_eq!(cgroups_of(process.id()), NONE, "{args:?}");
    }
}

#[test]
fn the_next_isolate_removes_what_a_killed_one_could_not() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = ["--pids", "9", "--", "sh", "-c", "echo $$; read go"];
    let mut running = Running::start(&args);
    let command = running.line();
    let pid = running.process.id();
    running.process.kill().unwrap();
    running.process.wait().unwrap();
    let what = "the command dies with its isolate";
    eventually(Duration::from_secs(5), what, || {
        (!is_alive(&command)).then_some(())
    });
    // Any isolate with a limit does it, so that one of another test may have
    // been here before.
    let another = ["--pids", "9", "--", "true"];
    assert!(Command::new(ISOLATE).args(another).status().unwrap().success());
    assert_eq!(cgroups_of(pid), NONE);
}

#[test]
fn the_next_isolate_leaves_alone_who_is_alive() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = ["--pids", "9", "--", "sh", "-c", "echo ready; read go"];
    let mut running = Running::start(&args);
    running.line();
    let before = cgroups_of(running.process.id());
    let another = ["--pids", "9", "--", "true"];
    assert!(Command::new(ISOLATE).args(another).status().unwrap().success());
    assert_eq!(cgroups_of(running.process.id()), before);
    assert_eq!(running.finish(), Some(0));
}

/// A box with process ids of its own, in which an isolate(1) with a limit runs
/// a shell line.
fn boxed(line: &str) -> [String; 5] {
    let inner = format!("{ISOLATE} --pids 9 -- sh -c '{line}'; exit $?");
    ["--pid", "--", "sh", "-c", &inner].map(str::to_owned)
}

#[test]
fn equal_pids_in_two_boxes_are_two_cgroups() {
    if !requires(&[Need::Root]) {
        return;
    }
    let first = boxed("echo ready; read go");
    let first: Vec<_> = first.iter().map(String::as_str).collect();
    let mut first = Running::start(&first);
    first.line();
    // The same pids inside, hence the same name if that were all of it.
    let second = Command::new(ISOLATE).args(boxed("exit 7")).status().unwrap();
    assert_eq!(second.code(), Some(7));
    assert_eq!(first.finish(), Some(0));
}

#[test]
fn who_is_alive_outside_is_not_dead_because_a_box_does_not_see_it() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = ["--pids", "9", "--", "sh", "-c", "echo ready; read go"];
    let mut running = Running::start(&args);
    running.line();
    let before = cgroups_of(running.process.id());
    let inside = Command::new(ISOLATE).args(boxed("exit 7")).status().unwrap();
    assert_eq!(inside.code(), Some(7));
    assert_eq!(cgroups_of(running.process.id()), before);
    assert_eq!(running.finish(), Some(0));
}
