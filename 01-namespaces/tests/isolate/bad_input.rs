//! What isolate(1) was given and cannot do: one line that says what was tried
//! and why it failed, at most one more with the way out, and nothing is left.

use crate::left_behind::{NONE, cgroups_of};
use crate::run::ISOLATE;
use std::fs;
use std::process::{Command, Stdio};
use testkit::{Need, Scratch, requires};

/// Arguments, what the first line has to name, and the exit code.
type Row<'a> = (&'a [&'a str], &'a str, i32);

/// On the command line; refused before anything is looked at.
const WORDS: &[Row] = &[
    (&["--unknown", "true"], "'--unknown'", 125),
    (&["-X", "true"], "'-X'", 125),
    (&["--pid=1", "true"], "'--pid'", 125),
    (&[], "missing: <COMMAND>", 125),
    (&["--rootfs", "", "true"], "'--rootfs <DIR>'", 125),
    (&["--map-users", "0:0", "true"], "'0:0'", 125),
    (&["--map-users", "a:0:1", "true"], "'a:0:1'", 125),
    (&["--map-groups", "0:0:-1", "true"], "'0:0:-1'", 125),
    (&["--pids", "0", "true"], "'0' for '--pids <N>'", 125),
    (&["--pids", "-1", "true"], "'-1' for '--pids <N>'", 125),
    (&["--memory", "0", "true"], "'0' for '--memory <SIZE>'", 125),
    (&["--memory", "-1M", "true"], "'-1M' for '--memory <SIZE>'", 125),
    (&["--memory", "1000000G", "true"], "the machine has", 125),
    (&["--memory-high", "1000000G", "true"], "the machine has", 125),
    (&["--swap", "-1", "true"], "'-1' for '--swap <SIZE>'", 125),
    (&["--cpus", "0", "true"], "'0' for '--cpus <N>'", 125),
    (&["--cpus", "100000", "true"], "the processors there are", 125),
    (&["--cpuset", "-1", "true"], "'-1' for '--cpuset <LIST>'", 125),
    (&["--propagation", "odd", "true"], "'odd' for '--propagation", 125),
    (&["enter", "nobody", "true"], "\"nobody\"", 125),
];

/// As root; refused by the kernel, or by a look at the machine.
const THINGS: &[Row] = &[
    (&["--rootfs", "/no/such", "true"], "realpath(\"/no/such\")", 125),
    (&["--map-users", "0:0:0", "true"], "/uid_map\", ..) = EINVAL", 125),
    (&["--map-users", "0:4294967295:2", "true"], "/uid_map\"", 125),
    (&["--pids", "4194305", "true"], "pids.max\", \"4194305\"", 125),
    (&["--cpuset", "8000", "true"], "cpuset.cpus\", \"8000\"", 125),
    (&["--pids", "9", "no-such-command"], "\"no-such-command\"", 127),
    (&["--pids", "9", "--", ""], "execve(\"\"", 127),
    (&["--pids", "9", "/no/such/command"], "\"/no/such/command\"", 127),
    (&["--pids", "9", "/etc/passwd"], "\"/etc/passwd\"", 126),
    (&["--pids", "9", "--init", "no-such-command"], "no-such-command", 127),
];

/// Where the machine itself is not as it should be: a shell breaks it first, in
/// a mount namespace of its own.
const BROKEN: &[Row] = &[
    (&["umount -R /sys/fs/cgroup", "--pids", "9"], "= ENOENT", 125),
    (&["umount -R /sys/fs/cgroup", "--cpuset", "0"], "= ENOENT", 125),
    (&["mount -t tmpfs none /etc", "--map-auto"], "/etc/subuid", 125),
    (
        &["mount -t tmpfs none /etc && mkdir /etc/subuid", "--map-auto"],
        "open(\"/etc/subuid\") = EISDIR",
        125,
    ),
    (
        &[
            "mount -t tmpfs none /etc && echo 0:many:3 > /etc/subuid",
            "--map-auto",
        ],
        "/etc/subuid:1: \"0:many:3\"",
        125,
    ),
];

const ONLY_V2: &str =
    "umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup";

/// Runs it, and checks all that has to be so for any refusal.
fn check(command: &mut Command, (args, names, code): Row) {
    let command = command.args(args).stdin(Stdio::null());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = command.spawn().unwrap();
    let pid = process.id();
    let output = process.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    assert!(output.stdout.is_empty(), "{args:?} ran");
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    assert!(first.starts_with("isolate: "), "{args:?}: {text}");
    assert!(first.contains(names), "{args:?}: {text}");
    let hint = lines.next().unwrap_or("hint: ");
    assert!(hint.starts_with("hint: "), "{args:?}: {text}");
    assert_eq!(lines.next(), None, "{args:?}: {text}");
    assert_eq!(cgroups_of(pid), NONE, "{args:?}");
}

/// A shell that does its first argument, and is isolate(1) with the others.
fn on_a_broken_machine() -> Command {
    let script = "set -e; eval \"$1\"; shift; exec \"$0\" \"$@\" -- true";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, ISOLATE]);
    command
}

#[test]
fn a_wrong_word_is_named_and_nothing_is_done() {
    for row in WORDS {
        check(&mut Command::new(ISOLATE), *row);
    }
}

#[test]
fn what_cannot_be_done_is_named_and_leaves_nothing() {
    if !requires(&[Need::Root]) {
        return;
    }
    for row in THINGS {
        check(&mut Command::new(ISOLATE), *row);
    }
}

#[test]
fn a_root_that_is_a_file_is_named_and_leaves_nothing() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let file = scratch.path().join("file");
    fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    let args = ["--pids", "9", "--rootfs", file, "true"];
    check(&mut Command::new(ISOLATE), (&args, file, 125));
}

#[test]
fn what_the_machine_lacks_is_named_and_leaves_nothing() {
    if !requires(&[Need::Root]) {
        return;
    }
    for row in BROKEN {
        check(&mut on_a_broken_machine(), *row);
    }
}

#[test]
fn a_controller_that_is_not_mounted_is_named_with_how_to_mount_it() {
    if !requires(&[Need::Root, Need::CgroupV1]) {
        return;
    }
    for (broken, limit, file) in [
        ("umount /sys/fs/cgroup/pids", "--pids=9", "pids.max"),
        ("umount /sys/fs/cgroup/memory", "--memory=9M", "memory.limit_in"),
        // v2 alone, which has none of the controllers that v1 holds.
        (ONLY_V2, "--pids=9", "/pids.max\", O_WRONLY) = ENOENT"),
        (ONLY_V2, "--memory-high=9M", "/memory.high\", O_WRONLY) = ENOENT"),
        ("mount -o remount,bind,ro /sys/fs/cgroup/pids", "--pids=9", "= EROFS"),
    ] {
        check(&mut on_a_broken_machine(), (&[broken, limit], file, 125));
    }
}
