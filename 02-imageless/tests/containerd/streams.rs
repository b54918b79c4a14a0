//! Standard streams of tasks: pipes, and terminals with a person at them.

use crate::containerd::on_each_runtime;
use std::io::{Read, Write};
use std::process::Stdio;
use testkit::{Need, Screen, requires};

/// Prints its terminal, then what is typed, and ends by Ctrl-C.
const SCRIPT: &str = "trap 'exit 9' INT; tty; read line; echo got $line; \
                      while :; do read -t 60 x; done";

#[test]
fn what_is_written_to_a_task_arrives() {
    on_each_runtime(|ctr| {
        let script = ["sh", "-c", "read line; echo got $line; exit 5"];
        let mut run = ctr.run_command(&["--rm"], &script);
        run.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut run = run.spawn().expect("ctr was found");
        // Open until the end: ctr 1.6 misses an end that comes early.
        let mut stdin = run.stdin.take().expect("it is piped");
        stdin.write_all(b"hello\n").expect("ctr reads it");
        let mut said = String::new();
        let mut stdout = run.stdout.take().expect("it is piped");
        stdout.read_to_string(&mut said).expect("it is text");
        let status = run.wait().expect("nobody else reaps it");
        assert_eq!((status.code(), &*said), (Some(5), "got hello\n"));
    });
}

#[test]
fn twenty_megabytes_come_out() {
    on_each_runtime(|ctr| {
        let script = "head -c 20000000 /dev/zero | tr '\\0' x";
        let (code, output) = ctr.sh(&[], script);
        assert_eq!((code, output.len()), (Some(0), 20_000_000));
    });
}

#[test]
fn run_with_a_terminal_gives_one() {
    if !requires(&[Need::Program("setsid")]) {
        return;
    }
    on_each_runtime(|ctr| {
        let script = ["sh", "-c", SCRIPT];
        let run = ctr.run_command(&["--rm", "--tty"], &script);
        let (mut screen, mut child) = Screen::around(&run);
        screen.shows("/dev/pts/0");
        screen.types("hello\n");
        screen.shows("got hello");
        screen.types("\x03");
        let status = child.wait().expect("nobody else reaps it");
        assert_eq!(status.code(), Some(9));
    });
}

#[test]
fn exec_with_a_terminal_gives_one() {
    if !requires(&[Need::Program("setsid")]) {
        return;
    }
    on_each_runtime(|ctr| {
        ctr.start();
        let exec = ["task", "exec", "--tty", "--exec-id", "second", ctr.id()];
        let script = ["sh", "-c", SCRIPT];
        let exec = ctr.command(&[&exec[..], &script].concat());
        let (mut screen, mut child) = Screen::around(&exec);
        screen.shows("/dev/pts/0");
        screen.types("hello\n");
        screen.shows("got hello");
        screen.types("\x03");
        let status = child.wait().expect("nobody else reaps it");
        assert_eq!(status.code(), Some(9));
    });
}
