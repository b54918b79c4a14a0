//! What is refused says the way out: the second line, `hint: ..`.

use crate::run::ISOLATE;
use std::process::Command;
use testkit::{Need, Scratch, requires};

/// A shell line, in a mount namespace and an empty directory of its own, with
/// isolate(1) as `$0`; and what its hint has to say.
type Row = (&'static str, &'static str);

const ROOTS: &[Row] = &[
    ("$0 --rootfs / true", "--rootfs / goes with --overlay"),
    ("$0 --rootfs no/such true", "DIR has to be there"),
    ("ln -s /no/such proc; $0 --rootfs . true", "has a symlink where"),
    ("ln -s /proc proc; $0 --rootfs . true", "a symlink that leads nowhere"),
    ("ln -s proc/self/root dev; $0 --rootfs . true", "is in the way there"),
    ("touch sys; $0 --rootfs . true", "is in the way there: a file"),
    ("mkfifo dev; $0 --rootfs . true", "is in the way there: a file"),
    ("mount -t tmpfs -o ro none .; cd .; $0 --rootfs $PWD true", "--overlay"),
    (
        "mount -t tmpfs -o nr_inodes=2 none .; cd $PWD; $0 --rootfs . true",
        "add --overlay",
    ),
    (
        "mkdir r; cp $0 i; setpriv --reuid 65534 --regid 65534 --clear-groups \
         ./i --rootfs r true",
        "beforehand: it cannot be written",
    ),
];

const OTHERS: &[Row] = &[
    ("$0 --hostname $(printf %065d 0) true", "at most 64 bytes"),
    ("ulimit -n 7; $0 --pids 9 true", "ulimit -n"),
    (
        "cp $0 i; ulimit -p 0; setpriv --reuid 65534 --clear-groups ./i -U \
         true",
        "ulimit -u",
    ),
    (
        "deep=true; for i in 1 2 3 4 5 6; do for j in 1 2 3 4 5 6; do \
         deep=\"$0 --user -- $deep\"; done; done; $deep",
        "at most 32 deep",
    ),
    ("mount -t tmpfs none /proc; $0 --pids 9 true", "mount -t proc"),
    ("mount -t tmpfs none /proc; $0 inspect $$", "/proc is not mounted"),
    ("mount -t tmpfs none /proc; $0 enter $$ true", "/proc is not mounted"),
    ("$0 pin --net no/such", "the directory above it has to be there"),
];

fn check(rows: &[Row]) {
    if !requires(&[Need::Root]) {
        return;
    }
    for (line, way_out) in rows {
        let scratch = Scratch::new();
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh", "-c", line, ISOLATE]);
        let output = unshare.current_dir(scratch.path()).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(125), "{line}: {text}");
        let (first, hint) = text.split_once("\nhint: ").unwrap_or((&text, ""));
        assert!(first.starts_with("isolate: "), "{line}: {text}");
        assert!(hint.contains(way_out), "{line}: {text}");
        assert_eq!(text.lines().count(), 2, "{line}: {text}");
    }
}

#[test]
fn a_root_that_cannot_be_made_says_what_would_help() {
    check(ROOTS);
}

#[test]
fn what_the_machine_or_a_limit_refuses_says_what_would_help() {
    check(OTHERS);
}
