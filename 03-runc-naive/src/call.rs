//! One call of the runtime: run the program, wait, and turn what it printed
//! into a value or an error.

use std::io;
use std::path::Path;
use std::process::{self, Command};

use nix::errno::Errno;
use serde::de::DeserializeOwned;

use crate::error::{
    RuntimeError, command_line, last_logged_error, last_printed_error,
};
use crate::runtime::Runtime;

impl Runtime {
    /// Returns a failed `create`'s or `run`'s own words: its last error in the
    /// log, else on `stderr`.
    pub fn error_message(&self, stderr: &[u8]) -> String {
        self.message_since(0, stderr)
    }

    pub(crate) fn bare_command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        command
    }

    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = self.bare_command();
        command.arg(verb);
        command
    }

    /// Runs a verb that gives none of its descriptors to the container, so that
    /// waiting for their end is safe.
    pub(crate) fn call(
        &self,
        command: &mut Command,
    ) -> Result<process::Output, RuntimeError> {
        let log = self.log.as_ref().and_then(|log| log.metadata().ok());
        let logged = log.map_or(0, |log| log.len());
        let output = command
            .stdin(process::Stdio::null())
            .output()
            .map_err(|error| not_run(&self.program, &error))?;
        if output.status.success() {
            return Ok(output);
        }
        let message = self.message_since(logged, &output.stderr);
        Err(RuntimeError::Failed {
            command: command_line(command),
            status: output.status,
            message,
        })
    }

    pub(crate) fn call_json<T: DeserializeOwned>(
        &self,
        command: &mut Command,
    ) -> Result<T, RuntimeError> {
        let output = self.call(command)?;
        serde_json::from_slice(&output.stdout)
            .map_err(|error| no_answer(command, &output, &error.to_string()))
    }

    fn message_since(&self, logged: u64, stderr: &[u8]) -> String {
        let entry =
            self.log.as_ref().and_then(|log| last_logged_error(log, logged));
        entry.unwrap_or_else(|| last_printed_error(stderr))
    }
}

fn not_run(program: &Path, error: &io::Error) -> RuntimeError {
    // What is no error of the system is a NUL byte in an argument.
    let errno = error.raw_os_error().map_or(Errno::EINVAL, Errno::from_raw);
    let program = program.to_string_lossy().into_owned();
    RuntimeError::Io { program, errno }
}

/// The runtime ended well but did not print what its verb prints.
pub(crate) fn no_answer(
    command: &Command,
    output: &process::Output,
    why: &str,
) -> RuntimeError {
    let printed: String =
        String::from_utf8_lossy(&output.stdout).chars().take(40).collect();
    let message = format!("printed {printed:?}: {why}");
    RuntimeError::Failed {
        command: command_line(command),
        status: output.status,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_says_nothing_is_not_given_words_of_an_earlier_call() {
        let scratch = testkit::Scratch::new();
        let log = scratch.path().join("log.json");
        let old = r#"{"level": "error", "msg": "old", "time": "t"}"#;
        std::fs::write(&log, old).unwrap();
        let runtime = Runtime::new("false").log(&log);
        assert_eq!(runtime.error_message(b""), "old");
        let error = runtime.version().unwrap_err().to_string();
        assert!(
            error.ends_with("exit status: 1: no word on stderr"),
            "{error}"
        );
    }
}
