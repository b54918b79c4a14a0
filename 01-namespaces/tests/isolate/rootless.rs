//! An ordinary user can do it too: root inside, and nobody special outside.

use crate::run::{ISOLATE, refusal, text};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use testkit::{Bundle, Need, Scratch, requires};

const NOBODY: u32 = 65534;

/// Runs isolate(1) as nobody, from a place that nobody can read.
pub(crate) fn as_nobody(scratch: &Scratch, args: &[&str]) -> Output {
    let program = scratch.path().join("isolate");
    if !program.exists() {
        // Not by ourselves: a process that another test forks meanwhile would
        // hold our descriptor, and a file open for writing is not executed.
        let mut cp = Command::new("cp");
        assert!(cp.arg(ISOLATE).arg(&program).status().unwrap().success());
    }
    let mut command = Command::new(program);
    command.args(args).current_dir("/").uid(NOBODY).gid(NOBODY);
    command.output().unwrap()
}

#[test]
fn a_user_namespace_is_made_without_asking_and_the_user_is_root_in_it() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let args = ["--hostname", "mine", "--", "sh", "-c", "id -u; hostname"];
    assert_eq!(text(as_nobody(&scratch, &args)), "0\nmine\n");
}

#[test]
fn root_inside_is_nobody_outside() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let secret = scratch.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&secret, owner_only).unwrap();
    let args = ["--user", "--", "cat", secret.to_str().unwrap()];
    let output = as_nobody(&scratch, &args);
    assert!(!output.status.success());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("Permission denied"), "{stderr}");
}

#[test]
fn a_root_file_system_works_for_an_ordinary_user() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let bundle = Bundle::busybox(&scratch, "c", &["true"]);
    let rootfs = bundle.rootfs();
    let script = "echo x > /dev/null && stat -f -c %T /proc && echo $$";
    let options = ["--pid", "--net", "--ipc", "--rootfs"];
    let command = [rootfs.to_str().unwrap(), "--", "/bin/sh", "-c", script];
    let args = [&options[..], &command].concat();
    assert_eq!(text(as_nobody(&scratch, &args)), "proc\n1\n");
}

#[test]
fn limits_need_a_delegated_cgroup_and_the_message_says_so() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let output = as_nobody(&scratch, &["--pids", "9", "--", "echo", "ran"]);
    let text = refusal(&output);
    assert!(text.contains("= EACCES"), "{text}");
    assert!(text.contains("hint: an ordinary user needs"), "{text}");
}
