//! Nobody hears what xtask prints: it stops, and does not panic.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs::OpenOptions;
use std::process::{Command, Output, Stdio};

fn doctor(stdout: impl Into<Stdio>) -> Output {
    let mut doctor = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let doctor = doctor.arg("doctor").stdin(Stdio::null());
    doctor.stdout(stdout).output().unwrap()
}

#[test]
fn a_reader_that_stops_halfway_is_no_failure() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = doctor(writer);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_full_disk_is_told_in_one_line() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = doctor(full);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("xtask: write(stdout): No space"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}
