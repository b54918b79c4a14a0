//! The freezer: processes held still, and let go or killed.

use crate::group::Group;
use std::io::{BufRead, BufReader, Write};
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
    let mut answer = || {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        line
    };
    input.write_all(b"one\n").unwrap();
    assert_eq!(answer(), "one\n");

    let used = || group.cgroup.usage().unwrap().cpu.unwrap().total;
    group.cgroup.freeze().unwrap();
    assert!(group.cgroup.is_frozen().unwrap());
    let before = used();
    input.write_all(b"two\n").unwrap();
    // As long as this takes, the shell would have answered many times.
    assert!(Command::new("true").status().unwrap().success());
    assert_eq!(used(), before);
    group.cgroup.thaw().unwrap();
    assert!(!group.cgroup.is_frozen().unwrap());
    assert_eq!(answer(), "two\n");
    assert!(used() > before);
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
