//! podman on a terminal, with a person at it.

use crate::podman::on_each_runtime;
use testkit::{Need, requires};

/// Prints its terminal and window, then what is typed, and ends by Ctrl-C.
const SCRIPT: &str = "trap 'exit 9' INT; trap 'stty size' WINCH; tty; \
                      read line; echo got $line; while :; do read -t 60 x; done";

#[test]
fn run_on_a_terminal_gives_the_program_one() {
    if !requires(&[Need::Program("setsid")]) {
        return;
    }
    on_each_runtime(|podman| {
        let run = podman.run_arguments(&["--rm", "-it"], &["sh", "-c", SCRIPT]);
        let (mut screen, mut child) = podman.on_a_terminal(&run);
        screen.shows("/dev/pts/0");
        screen.types("hello\n");
        screen.shows("got hello");
        screen.resize(41, 107);
        screen.shows("41 107");
        // The container's own terminal makes a signal of it.
        screen.types("\x03");
        let status = child.wait().expect("nobody else reaps it");
        assert_eq!(status.code(), Some(9));
    });
}

#[test]
fn exec_on_a_terminal_gives_the_program_one() {
    if !requires(&[Need::Program("setsid")]) {
        return;
    }
    on_each_runtime(|podman| {
        podman.start(&[]);
        let exec = ["exec", "-it", "box", "sh", "-c", SCRIPT];
        let (mut screen, mut child) = podman.on_a_terminal(&exec);
        screen.shows("/dev/pts/0");
        screen.types("hello\n");
        screen.shows("got hello");
        screen.types("\x03");
        let status = child.wait().expect("nobody else reaps it");
        assert_eq!(status.code(), Some(9));
    });
}
