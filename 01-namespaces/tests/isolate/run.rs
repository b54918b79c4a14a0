//! Runs isolate(1), to its end or as long as a test needs it to live.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

/// The program under test.
pub(crate) const ISOLATE: &str = env!("CARGO_BIN_EXE_isolate");

/// What a shell does until a signal ends it. One that waits in read(2) instead
/// sleeps over a signal that has come just before.
pub(crate) const BUSY: &str = "while :; do :; done";

/// Runs it to its end.
pub(crate) fn isolate(args: &[&str]) -> Output {
    Command::new(ISOLATE).args(args).output().unwrap()
}

/// Runs it to its end, which has to be a good one, and gives what it printed.
pub(crate) fn stdout(args: &[&str]) -> String {
    text(isolate(args))
}

/// Gives what a command printed; it must have succeeded.
pub(crate) fn text(output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Checks that isolate itself refused, and gives its message.
pub(crate) fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(125), "{output:?}");
    assert!(output.stdout.is_empty(), "the command ran: {output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// An isolate(1) whose command waits for the test.
pub(crate) struct Running {
    pub(crate) process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    /// Starts it; `args` end with a shell command line that prints a line when
    /// it is ready, and then reads one before it goes on.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut command = Command::new(ISOLATE);
        let command = command.args(args).stdin(Stdio::piped());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdin = process.stdin.take().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        Self { process, stdin, stdout }
    }

    /// Waits for the next line of the command.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Lets the command go on, and waits for the end of it.
    pub(crate) fn finish(mut self) -> Option<i32> {
        // The command may have ended already.
        let _ = self.stdin.write_all(b"\n");
        self.process.wait().unwrap().code()
    }
}
