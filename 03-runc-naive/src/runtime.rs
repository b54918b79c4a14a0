//! The typed client of an OCI runtime's command line. It runs one program per
//! operation and remembers nothing, so that what it says about a container is
//! what the runtime observes now. Any runtime will do: runc, crun, ours.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::call::no_answer;
use crate::create::{Create, Mode};
use crate::error::{RuntimeError, is_unknown_id};
use crate::state::{State, Status};
use crate::version::{Version, parse_version};

// ANCHOR: client
/// An OCI runtime: a program and the arguments that go before every verb.
///
/// Calls block until the runtime has ended, without a limit: killing a runtime
/// half-way leaves half a container. None of them needs to hold on to anything,
/// so a clone is as good as the original.
#[derive(Debug, Clone)]
pub struct Runtime {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) log: Option<PathBuf>,
}
// ANCHOR_END: client

/// Whether `delete` may kill what still runs, and succeeds for an unknown id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// `delete --force`.
    Yes,
    /// `delete`: only what has stopped.
    No,
}

impl Runtime {
    /// Takes a path, or a name to look up on `PATH` at each call.
    pub fn new(program: impl Into<PathBuf>) -> Runtime {
        Runtime { program: program.into(), args: Vec::new(), log: None }
    }

    /// Keeps the containers' state in `directory` instead of the runtime's
    /// default (`--root`).
    #[must_use]
    pub fn root(self, directory: impl Into<OsString>) -> Runtime {
        self.args([OsString::from("--root"), directory.into()])
    }

    /// Has the runtime log to `file` in JSON, from where error messages are
    /// then taken.
    #[must_use]
    pub fn log(mut self, file: impl Into<PathBuf>) -> Runtime {
        let file = file.into();
        self.log = Some(file.clone());
        self.args([
            OsString::from("--log"),
            file.into(),
            "--log-format".into(),
            "json".into(),
        ])
    }

    /// Adds arguments that go before every verb.
    #[must_use]
    pub fn args(
        mut self,
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Runtime {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Returns the program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    // ANCHOR: create_command
    /// Prepares `create`. The container inherits the stdio that the caller
    /// gives to this command, and keeps it.
    ///
    /// Therefore it is a command and not a call: never wait for the end of a
    /// pipe that the container holds too (pitfall C6).
    /// [`Runtime::error_message`] reads what it wrote to stderr when it failed.
    pub fn create_command(&self, create: &Create<'_>) -> Command {
        let mut command = self.command("create");
        create.add_to(&mut command);
        command
    }
    // ANCHOR_END: create_command

    /// Prepares `run`, which is `create` and `start` in one; for stdio see
    /// [`Runtime::create_command`].
    pub fn run_command(&self, create: &Create<'_>, mode: Mode) -> Command {
        let mut command = self.command("run");
        if mode == Mode::Detached {
            command.arg("--detach");
        }
        create.add_to(&mut command);
        command
    }

    /// Starts the user's program in a created container. It may have ended when
    /// this returns (pitfall C41).
    ///
    /// # Errors
    /// `NotFound`: no such container. `Failed`: it is not in state created, or
    /// its program cannot be executed.
    ///
    /// Source: runtime-spec: runtime.md, "Start"
    pub fn start(&self, id: &str) -> Result<(), RuntimeError> {
        let mut command = self.command("start");
        self.call(command.arg(id))
            .map(drop)
            .map_err(|error| self.unless_gone(id, error))
    }

    /// Asks for a container's state.
    ///
    /// # Errors
    /// `NotFound`: no such container.
    ///
    /// Source: runtime-spec: runtime.md, "Query State"
    pub fn state(&self, id: &str) -> Result<State, RuntimeError> {
        let mut command = self.command("state");
        match self.call_json(command.arg(id)) {
            Err(RuntimeError::Failed { message, .. })
                if is_unknown_id(&message) =>
            {
                Err(RuntimeError::NotFound { id: id.to_owned() })
            }
            answer => answer,
        }
    }

    /// Sends a signal, given by its number, to the container process.
    ///
    /// The process may ignore it: as PID 1 of its namespace it has no default
    /// actions (pitfall C27).
    ///
    /// # Errors
    /// `NotFound`: no such container. `NotRunning`: its process has ended.
    ///
    /// Source: runtime-spec: runtime.md, "Kill"
    // ANCHOR: kill
    pub fn kill(&self, id: &str, signal: i32) -> Result<(), RuntimeError> {
        let mut command = self.command("kill");
        command.arg(id).arg(signal.to_string());
        self.call(&mut command).map(drop).map_err(|error| {
            match self.state(id) {
                Err(RuntimeError::NotFound { id }) => {
                    RuntimeError::NotFound { id }
                }
                Ok(State { id, status: Status::Stopped, .. }) => {
                    RuntimeError::NotRunning { id }
                }
                Ok(_) | Err(_) => error,
            }
        })
    }
    // ANCHOR_END: kill

    /// Removes what the runtime made for a container: its cgroup, its state.
    ///
    /// # Errors
    /// `NotFound`: no such container (never with [`Force::Yes`]). `Failed`: it
    /// has not stopped.
    ///
    /// Source: runtime-spec: runtime.md, "Delete"
    pub fn delete(&self, id: &str, force: Force) -> Result<(), RuntimeError> {
        let mut command = self.command("delete");
        if force == Force::Yes {
            command.arg("--force");
        }
        self.call(command.arg(id))
            .map(drop)
            .map_err(|error| self.unless_gone(id, error))
    }

    /// Lists the containers under the runtime's root.
    ///
    /// # Errors
    /// `Failed`: the runtime has no such verb, which the spec does not demand.
    pub fn list(&self) -> Result<Vec<State>, RuntimeError> {
        // runc prints an empty list as `null`.
        let list: Option<_> =
            self.call_json(self.command("list").args(["--format", "json"]))?;
        Ok(list.unwrap_or_default())
    }

    /// Asks the runtime who it is.
    ///
    /// # Errors
    /// `Io`: there is no such program. `Failed`: it is no OCI runtime.
    pub fn version(&self) -> Result<Version, RuntimeError> {
        let mut command = self.bare_command();
        let output = self.call(command.arg("--version"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        parse_version(&text).ok_or_else(|| {
            no_answer(&command, &output, "no line `NAME version X` first")
        })
    }

    /// Replaces an error by `NotFound` if the container is not there: by
    /// looking, since the texts differ (C29).
    fn unless_gone(&self, id: &str, error: RuntimeError) -> RuntimeError {
        match self.state(id) {
            Err(RuntimeError::NotFound { id }) => RuntimeError::NotFound { id },
            Ok(_) | Err(_) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::command_line;

    #[test]
    fn the_arguments_of_create_are_those_that_containerd_passes() {
        let runtime =
            Runtime::new("/bin/runc").root("/run/x").log("/tmp/log.json");
        let pid_file = Path::new("/tmp/pid");
        let create = Create {
            pid_file: Some(pid_file),
            ..Create::new("web", Path::new("/b"))
        };
        assert_eq!(
            command_line(&runtime.create_command(&create)),
            "runc --root /run/x --log /tmp/log.json --log-format json \
             create --bundle /b --pid-file /tmp/pid web"
        );
    }
}
