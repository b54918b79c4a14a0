//! The freezer: processes held still, and let go or killed.

use crate::group::Group;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::process::Command;
use testkit::{Need, requires};

#[test]
fn a_frozen_process_stands_still_until_it_is_thawed() {
    if !requires(&[Need::Root]) {
        return;
    }
    let mut group = Group::new();
    let shell = group.start("while read line; do echo $line; done");
    let mut input = shell.stdin.take().unwrap();
    let mut output = BufReader::new(shell.stdout.take().unwrap());
    input.write_all(b"one\n").unwrap();
    assert_eq!(line_of(&mut output), "one\n");

    group.cgroup.freeze().unwrap();
    assert!(group.cgroup.is_frozen().unwrap());
    input.write_all(b"two\n").unwrap();
    // As long as this takes, the shell would have answered many times.
    assert!(Command::new("true").status().unwrap().success());
    assert!(!readable(output.get_ref()));
    group.cgroup.thaw().unwrap();
    assert!(!group.cgroup.is_frozen().unwrap());
    assert_eq!(line_of(&mut output), "two\n");
}

fn line_of(output: &mut impl BufRead) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line
}

fn readable(output: impl AsFd) -> bool {
    let mut events = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
    poll(&mut events, PollTimeout::ZERO).unwrap() > 0
}

#[test]
fn a_frozen_cgroup_can_be_killed() {
    if !requires(&[Need::Root]) {
        return;
    }
    let mut group = Group::new();
    group.start("while :; do :; done");
    group.cgroup.freeze().unwrap();
    group.cgroup.kill().unwrap();
    assert_eq!(group.cgroup.pids().unwrap(), []);
}
