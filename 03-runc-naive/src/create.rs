//! What a runtime is told to make a container of: the arguments that `create`
//! and `run` share.

use std::path::Path;
use std::process::Command;

/// What `create` and `run` need to know: `Create { pid_file: Some(file),
/// ..Create::new(id, bundle) }`.
#[derive(Debug, Clone, Copy)]
pub struct Create<'a> {
    /// The id of the new container.
    pub id: &'a str,
    /// The bundle's directory, with config.json.
    pub bundle: &'a Path,
    /// Where the runtime writes the container process' pid: decimal, no
    /// newline, before `create` returns.
    pub pid_file: Option<&'a Path>,
    /// The listening Unix socket that receives the terminal's master; only with
    /// `process.terminal`.
    pub console_socket: Option<&'a Path>,
}

impl<'a> Create<'a> {
    /// Creates without a pid file and without a terminal.
    pub fn new(id: &'a str, bundle: &'a Path) -> Create<'a> {
        Create { id, bundle, pid_file: None, console_socket: None }
    }

    pub(crate) fn add_to(&self, command: &mut Command) {
        command.arg("--bundle").arg(self.bundle);
        if let Some(file) = self.pid_file {
            command.arg("--pid-file").arg(file);
        }
        if let Some(socket) = self.console_socket {
            command.arg("--console-socket").arg(socket);
        }
        command.arg(self.id);
    }
}

/// Who stays between the container and its caller in `run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The runtime stays, copies the streams, and ends with the container's
    /// exit code.
    Foreground,
    /// The container gets the caller's descriptors themselves; the runtime
    /// leaves.
    Detached,
}
