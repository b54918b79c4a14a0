//! How a container process ended: the exit file of 04-shim/PROTOCOL.md, and
//! what CRI makes of it.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, failed};

/// How a container process ended: the exit file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The exit status, or 128 plus the signal's number.
    pub code: i32,
    /// Which of the two it is.
    pub reason: ExitReason,
    /// The signal's number, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// When the shim saw it.
    pub finished_at: Timestamp,
}

/// Why a container process is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExitReason {
    /// It called exit(2).
    Exited,
    /// A signal killed it.
    Signaled,
    /// Its shim was killed before it could tell; never in an exit file.
    Lost,
}

/// Reads the exit file; `None` while the container runs, or if its shim was
/// killed.
///
/// # Errors
/// A file that is no exit record; the message names it.
///
/// Source: 04-shim/PROTOCOL.md, "Exit file"
pub fn read(file: &Path) -> Result<Option<Exit>> {
    match std::fs::read(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(format!("open({file:?})"))(error)),
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| {
            Error::Failed(format!("{}: {error}", file.display()))
        }),
    }
}

impl Exit {
    /// The exit of a container whose shim was killed: nobody was there to see
    /// the code.
    #[must_use]
    pub fn lost(finished_at: Timestamp) -> Self {
        Self { code: 255, reason: ExitReason::Lost, signal: None, finished_at }
    }

    /// Returns the brief reason that kubelet and crictl show.
    #[must_use]
    pub fn cri_reason(&self) -> &'static str {
        match (self.reason, self.code) {
            (ExitReason::Lost, _) => "Unknown",
            (ExitReason::Exited, 0) => "Completed",
            (ExitReason::Exited | ExitReason::Signaled, _) => "Error",
        }
    }

    /// Returns what more there is to say.
    #[must_use]
    pub fn cri_message(&self) -> String {
        match (self.reason, self.signal) {
            (ExitReason::Lost, _) => {
                "its shim was killed, so nobody saw the exit code".to_owned()
            }
            (ExitReason::Signaled, Some(signal)) => {
                format!("killed by signal {signal}")
            }
            (ExitReason::Exited | ExitReason::Signaled, _) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(name: &str) -> Exit {
        let golden = Path::new("../04-shim/tests/golden").join(name);
        read(&golden).unwrap().expect("the shim's tests write it")
    }

    #[test]
    fn the_golden_exit_files_tell_an_exit_from_a_signal() {
        let exited = golden("exit-exited.json");
        assert_eq!(
            (exited.code, exited.reason, exited.signal),
            (7, ExitReason::Exited, None)
        );
        let killed = golden("exit-signaled.json");
        assert_eq!(
            (killed.code, killed.reason, killed.signal),
            (137, ExitReason::Signaled, Some(9))
        );
        assert_eq!(
            killed.finished_at.to_string(),
            "2026-11-23T18:00:00.123456789Z"
        );
    }

    #[test]
    fn there_is_no_exit_before_the_file_is_there() {
        assert_eq!(read(Path::new("/nowhere/exit")).unwrap(), None);
    }

    #[test]
    fn status_137_of_a_program_is_not_a_signal() {
        let exit = |reason, signal| Exit {
            code: 137,
            reason,
            signal,
            ..Exit::lost(Timestamp::UNIX_EPOCH)
        };
        assert_eq!(exit(ExitReason::Exited, None).cri_message(), "");
        assert_eq!(
            exit(ExitReason::Signaled, Some(9)).cri_message(),
            "killed by signal 9"
        );
    }
}
