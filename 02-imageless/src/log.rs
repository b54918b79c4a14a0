//! The `--log` file: where engines read why a verb failed, since stderr may
//! already be the container's. One record for the one error of a call, because
//! podman parses the whole file as a single JSON object.

use crate::cli::{Global, LogFormat};
use serde::Serialize;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

/// Chosen once, by the command line; a warning can come up anywhere.
static FILE: OnceLock<(PathBuf, LogFormat)> = OnceLock::new();

#[derive(Serialize)]
struct Record<'a> {
    level: &'a str,
    msg: &'a str,
    time: &'a str,
}

/// Takes note of the `--log` file, if one was given.
pub(crate) fn choose(global: &Global) {
    if let Some(path) = &global.log {
        FILE.get_or_init(|| (path.clone(), global.log_format));
    }
}

/// Writes a line to stderr. Not by eprintln!, which panics where that is a full
/// disk or a pipe that nobody reads: who has to tell an error there, has none
/// more.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "imageless: {line}");
}

/// Tells why the verb has failed.
///
/// Source: containerd's go-runc and podman's libpod read
/// `{"level","msg","time"}`.
pub(crate) fn error(message: &str) {
    say(message);
    append("error", message);
}

/// Tells what has failed although the verb has not.
pub(crate) fn warning(error: &anyhow::Error) {
    let message = printable(&format!("{error:#}"));
    say(&format!("warning: {message}"));
    append("warning", &message);
}

// ANCHOR: append
fn append(level: &str, message: &str) {
    let Some((path, log_format)) = FILE.get() else { return };
    let time = jiff::Timestamp::now().to_string();
    let record = format(*log_format, level, message, &time);
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| writeln!(file, "{record}"));
    if let Err(cause) = written {
        say(&format!("--log {}: {cause}", path.display()));
    }
}
// ANCHOR_END: append

/// Makes an error one line, and its hint another: a value of config.json that
/// is quoted in it may hold newlines, or commands to a terminal.
pub(crate) fn printable(error: &str) -> String {
    const HINT: &str = "\nhint: ";
    let parts: Vec<String> = error
        .split(HINT)
        .map(|part| part.chars().map(escaped).collect())
        .collect();
    parts.join(HINT)
}

fn escaped(c: char) -> String {
    if c.is_control() { c.escape_default().to_string() } else { c.to_string() }
}

fn format(format: LogFormat, level: &str, msg: &str, time: &str) -> String {
    match format {
        LogFormat::Json => serde_json::to_string(&Record { level, msg, time })
            .expect("three strings always serialize"),
        LogFormat::Text => format!("time={time:?} level={level} msg={msg:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_and_its_hint_another() {
        assert_eq!(
            printable("unknown variant `a\nb\x1b[2J`: ü\nhint: c\td"),
            "unknown variant `a\\nb\\u{1b}[2J`: ü\nhint: c\\td"
        );
    }

    #[test]
    fn a_json_record_is_one_object_with_the_three_keys_engines_read() {
        let line = format(
            LogFormat::Json,
            "error",
            "exec: \"bahs\": not found\nhint: x",
            "T",
        );
        assert_eq!(
            line,
            r#"{"level":"error","msg":"exec: \"bahs\": not found\nhint: x","time":"T"}"#
        );
    }
}
