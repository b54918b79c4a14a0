//! How an OCI runtime says that something failed: an exit status that is nearly
//! always 1, and a text. The texts differ between runtimes and versions
//! (pitfall C29), so this file is the only one that looks into them.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, ExitStatus};

use nix::errno::Errno;
use serde::Deserialize;

/// Why an operation on a container did not happen.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// No container has that id. For whoever removes one, this is success.
    #[error("container {id} does not exist")]
    NotFound {
        /// The id that was asked for.
        id: String,
    },
    /// The container process has ended. For whoever stops one, this is success.
    #[error("container {id} is not running")]
    NotRunning {
        /// The id that was asked for.
        id: String,
    },
    /// The runtime refused, or answered something that is no answer.
    #[error("`{command}`: {status}: {message}")]
    Failed {
        /// The command line that failed.
        command: String,
        /// How the runtime ended.
        status: ExitStatus,
        /// The runtime's own words.
        message: String,
    },
    /// The runtime could not be run at all.
    #[error("execvp({program:?}) = {errno}{}", hint(*errno))]
    Io {
        /// The program that was to be run.
        program: String,
        /// Why that failed.
        errno: Errno,
    },
}

fn hint(errno: Errno) -> &'static str {
    if errno == Errno::ENOENT {
        "\nhint: install that runtime, or name another one by its path"
    } else {
        ""
    }
}

/// What a runtime's `state` says, in small letters, about an id that it does
/// not know.
const UNKNOWN_ID: [&str; 2] = [
    "does not exist",                      // runc, youki, imageless
    "/status`: no such file or directory", // crun
];

/// Tells whether `state` failed because there is no such container, and not for
/// another reason.
pub(crate) fn is_unknown_id(message: &str) -> bool {
    let message = message.to_lowercase();
    UNKNOWN_ID.iter().any(|words| message.contains(words))
}

/// An entry of a runtime's log in JSON: one object a line.
#[derive(Deserialize)]
struct LogEntry {
    level: String,
    msg: String,
}

/// Returns the last error in a runtime's `--log` file, looking only at what was
/// written after byte `from`.
pub(crate) fn last_logged_error(log: &Path, from: u64) -> Option<String> {
    let mut file = fs::File::open(log).ok()?;
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let mut entries = text
        .lines()
        .filter_map(|line| serde_json::from_str::<LogEntry>(line).ok());
    entries.rfind(|entry| entry.level == "error").map(|entry| entry.msg)
}

/// Returns what a runtime's stderr says, on one line: its last error entry, if
/// it writes entries.
pub(crate) fn last_printed_error(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let entry = text.lines().rev().find_map(logfmt_error);
    entry.unwrap_or_else(|| match text.trim() {
        "" => "no word on stderr".to_owned(),
        words => words.lines().map(str::trim).collect::<Vec<_>>().join("; "),
    })
}

/// Reads a line such as `time="..." level=error msg="container \"a\" does not
/// exist"`: runc's text log.
fn logfmt_error(line: &str) -> Option<String> {
    let (_, quoted) = line.split_once("level=error msg=")?;
    // Go's %q is JSON's quoting for everything that appears in messages; a lone
    // word stands unquoted.
    Some(serde_json::from_str(quoted).unwrap_or_else(|_| quoted.to_owned()))
}

/// Prints a command as a shell would read it, for messages.
pub(crate) fn command_line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_before_the_error_are_left_out() {
        let stderr = br#"time="t" level=warning msg="cgroup busy"
time="t" level=error msg="exec: \"bahs\": not found"
"#;
        assert_eq!(last_printed_error(stderr), r#"exec: "bahs": not found"#);
    }

    #[test]
    fn plain_text_is_taken_as_it_is_on_one_line() {
        assert_eq!(
            last_printed_error(b"kill container:\n No such process\n"),
            "kill container:; No such process"
        );
        assert_eq!(last_printed_error(b" \n"), "no word on stderr");
    }

    #[test]
    fn errors_of_earlier_calls_in_the_same_log_do_not_count() {
        let scratch = testkit::Scratch::new();
        let log = scratch.path().join("log.json");
        let (old, new) = (
            "{\"level\":\"error\",\"msg\":\"old\",\"time\":\"t\"}\n",
            "{\"level\":\"warning\",\"msg\":\"careful\",\"time\":\"t\"}\n",
        );
        fs::write(&log, format!("{old}{new}")).unwrap();
        assert_eq!(last_logged_error(&log, 0).as_deref(), Some("old"));
        assert_eq!(last_logged_error(&log, old.len() as u64), None);
    }
}
