//! conmand's own start: one daemon for each directory and socket, nothing for
//! other users to see, and one clear line when it cannot be.

#![allow(clippy::unwrap_used, reason = "to panic is to fail, in a test")]

mod daemon;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use daemon::{Conmand, conmand, socket};
use testkit::{Need, Scratch, requires, runtimes};

/// Runs conmand, which has to refuse, and returns its words.
fn refused(mut conmand: Command) -> String {
    let output = conmand.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let words = String::from_utf8(output.stderr).unwrap();
    let errors = words.lines().filter(|line| line.starts_with("conmand: "));
    assert_eq!(errors.count(), 1, "{words}");
    words
}

#[test]
fn a_second_conmand_on_the_same_directory_or_socket_is_refused() {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    let scratch = Scratch::new();
    let first = Conmand::start(&scratch, &runtimes()[0]);
    let (dir, other) = (scratch.path(), scratch.path().join("other"));
    for again in [
        conmand(dir, &other.join("s.sock")),
        conmand(&other, &socket(&scratch)),
    ] {
        let words = refused(again);
        assert!(words.contains("another conmand serves"), "{words}");
    }
    assert!(first.ok(&["version"]).contains("CRI v1"));
}

#[test]
fn the_socket_of_a_dead_conmand_is_replaced() {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    let scratch = Scratch::new();
    drop(UnixListener::bind(socket(&scratch)).unwrap());
    let conmand = Conmand::start(&scratch, &runtimes()[0]);
    assert!(conmand.ok(&["version"]).contains("CRI v1"));
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    fs::write(socket(&scratch), "precious").unwrap();
    let words = refused(conmand(scratch.path(), &socket(&scratch)));
    assert!(words.contains("it is no socket"), "{words}");
    assert_eq!(fs::read(socket(&scratch)).unwrap(), b"precious");
}

#[test]
fn a_socket_path_that_does_not_fit_is_refused_with_its_length() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let long = scratch.path().join("x".repeat(100));
    let length = long.as_os_str().len();
    let words = refused(conmand(scratch.path(), &long));
    assert!(words.contains(&format!("has {length} bytes")), "{words}");
}

#[test]
fn a_shim_or_runtime_that_is_missing_is_refused_by_name() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    for (option, value) in [("--shim", "/no/shim"), ("--runtime", "x=/no/x")] {
        let mut conmand = conmand(scratch.path(), &socket(&scratch));
        conmand.args([option, value]);
        let expected = format!("conmand: {option} {value}: no such program\n");
        assert_eq!(refused(conmand), expected);
    }
    assert!(!scratch.path().join("root").exists());
}

#[test]
fn nothing_that_conmand_makes_is_open_to_other_users() {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    let scratch = Scratch::new();
    let conmand = Conmand::start(&scratch, &runtimes()[0]);
    let id = conmand.run_detached(&[], "sleep 1000");
    for dir in [conmand.root_dir(), conmand.state_dir()] {
        assert_eq!(mode(&dir) & 0o077, 0, "{}", dir.display());
    }
    for dir in [conmand.root_dir(), conmand.state_dir()] {
        let dir = dir.join("containers").join(&id);
        assert_eq!(mode(&dir) & 0o077, 0, "{}", dir.display());
    }
    assert_eq!(mode(&socket(&scratch)), 0o600);
    conmand.ok(&["rm", "-f", &id]);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
