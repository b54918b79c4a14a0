//! What `imageless bundle` refuses, how it says so, and that nothing half-made
//! stays behind.

use crate::maker::Maker;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use testkit::{Need, requires};

const START: &str = "imageless: bundle b: ";

fn refuses(maker: &Maker, args: &[&str], part: &str) {
    let before = maker.tree(maker.scratch.path());
    maker.refuses(&[&["bundle", "-o", "b"], args].concat(), START, part);
    assert_eq!(maker.tree(maker.scratch.path()), before, "{args:?}");
}

fn file(maker: &Maker, name: &str, contents: &[u8], mode: u32) {
    let path = maker.path(name);
    fs::write(&path, contents).expect("the scratch directory is writable");
    fs::set_permissions(&path, PermissionsExt::from_mode(mode))
        .expect("the file is ours");
}

#[test]
fn a_program_that_is_missing() {
    let maker = Maker::new();
    refuses(&maker, &["no-such-thing"], "no program of that name on PATH");
    refuses(&maker, &["./no-such-thing"], "ENOENT: No such file or directory");
}

#[test]
fn a_program_in_the_working_directory_named_without_a_slash() {
    let maker = Maker::new();
    file(&maker, "mine", b"#!/bin/sh\n", 0o755);
    refuses(&maker, &["mine"], "hint: ./mine is one");
}

#[test]
fn what_the_kernel_would_not_execute() {
    let maker = Maker::new();
    file(&maker, "text", b"hello\n", 0o755);
    file(&maker, "data", b"hello\n", 0o644);
    refuses(&maker, &["./text"], "ENOEXEC");
    refuses(&maker, &["./data"], "hint: chmod +x");
    refuses(&maker, &["/etc"], "hint: it is a directory");
    refuses(&maker, &["/dev/null"], "hint: it is not a regular file");
}

#[test]
fn a_damaged_elf_file() {
    let maker = Maker::new();
    file(&maker, "short", b"\x7fELF\x02\x01\x01", 0o755);
    refuses(&maker, &["./short"], "/short: ");
}

#[test]
fn a_script_whose_interpreter_is_missing() {
    let maker = Maker::new();
    file(&maker, "a.sh", b"#!/no/such/sh\n", 0o755);
    file(&maker, "b.sh", b"#!bin/sh\n", 0o755);
    file(&maker, "c.sh", b"#!/usr/bin/env no-such-sh\n", 0o755);
    refuses(&maker, &["./a.sh"], "#! line: stat(\"/no/such/sh\") = ENOENT");
    refuses(&maker, &["./b.sh"], "#! line: bin/sh is not an absolute path");
    refuses(&maker, &["./c.sh"], "#! line: no-such-sh: no program");
}

#[test]
fn a_command_that_the_container_would_not_find() {
    let maker = Maker::new();
    let hint = "hint: after -- stands the whole command";
    refuses(&maker, &["ls", "--", "cat"], hint);
    refuses(&maker, &["ls", "--", "-l"], hint);
    refuses(&maker, &["ls", "--", "/usr/bin/cat"], hint);
    refuses(&maker, &["ls", "--", "/usr"], hint);
    refuses(&maker, &["ls", "--", ""], hint);
}

#[test]
fn two_files_for_one_place() {
    let maker = Maker::new();
    file(&maker, "ls", b"", 0o644);
    let copy = ["ls", "--copy", "ls:/usr/bin/ls"];
    refuses(&maker, &copy, "would both be /usr/bin/ls in the container");
}

#[test]
fn a_copy_to_nowhere() {
    let maker = Maker::new();
    refuses(&maker, &["ls", "--copy", "/etc/hosts:x"], "begin with /");
    refuses(&maker, &["ls", "--copy", "no-such-file"], "ENOENT");
}

#[test]
fn a_directory_that_exists_stays_as_it_is() {
    let maker = Maker::new();
    fs::create_dir(maker.path("b")).expect("scratch is ours");
    refuses(&maker, &["ls"], "EEXIST: File exists\nhint: remove it");
    assert_eq!(maker.tree(&maker.path("b")), [" d 755"]);
}

#[test]
fn a_directory_that_cannot_be_made() {
    let maker = Maker::new();
    for directory in ["no/such/b", "/sys/b", "/proc/b", "/dev/null/b"] {
        let start = format!("imageless: bundle {directory}: mkdir(");
        let args = ["bundle", "-o", directory, "ls"];
        maker.refuses(&args, &start, " = E");
    }
}

#[test]
fn a_full_disk_keeps_no_half_of_a_bundle() {
    if !requires(&[Need::Root]) {
        return;
    }
    let maker = Maker::new();
    let script = format!(
        "mkdir small && mount -t tmpfs -o size=64k small small && cd small &&
         ! {} bundle -o b bash 2>&1 && ls -A",
        env!("CARGO_BIN_EXE_imageless"),
    );
    let output = maker.output("unshare", &["--mount", "sh", "-c", &script]);
    let expected = "= ENOSPC: No space left on device";
    assert!(output.trim_end().ends_with(expected), "{output}");
}
