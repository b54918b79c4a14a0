//! Becoming root for one program, never for a build: files in `target` stay
//! their user's.
//!
//! sudo(8) drops PATH and every `LD_*` variable, and both matter to what cargo
//! built; so they travel as arguments of env(1) instead.

use anyhow::{Context, Result, anyhow, bail};
use nix::unistd::Uid;
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};

/// Variables that sudo removes even when asked to preserve the environment.
const CARRIED: &[&str] = &["PATH", "LD_LIBRARY_PATH"];

/// Tells whether this process is root already.
pub(crate) fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Prepares `program` to run as root: itself when we are root, else through
/// sudo.
pub(crate) fn as_root(program: impl AsRef<OsStr>) -> Command {
    if is_root() {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["--preserve-env", "--", "env"]);
    for name in CARRIED {
        if let Some(value) = env::var_os(name) {
            let mut assignment = OsString::from(format!("{name}="));
            assignment.push(value);
            sudo.arg(assignment);
        }
    }
    sudo.arg(program);
    sudo
}

/// Replaces this process by `argv`, run as root.
///
/// # Errors
/// The program, or sudo, cannot be executed.
pub(crate) fn exec_as_root(argv: &[OsString]) -> Result<()> {
    let (program, args) = argv.split_first().context("no program given")?;
    let mut command = as_root(program);
    let error = command.args(args).exec();
    Err(anyhow!("{}: {error}", shown(&command)))
}

/// Runs `command` to its end and demands exit status 0.
///
/// # Errors
/// It cannot be started, or ends otherwise; the message shows the command line.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("{}: {status}", shown(command));
    }
    Ok(())
}

/// Runs `command` to its end, whatever that is.
///
/// # Errors
/// It cannot be started; the message shows the command line.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    command.status().with_context(|| shown(command))
}

/// The command line as one would type it, for messages; a PATH is long and
/// tells nothing.
pub(crate) fn shown(command: &Command) -> String {
    let words =
        std::iter::once(command.get_program()).chain(command.get_args());
    let word = |word: &OsStr| match word.to_string_lossy() {
        path if path.starts_with("PATH=") => "PATH=..".to_owned(),
        other => other.into_owned(),
    };
    words.map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{shown, succeed};
    use std::process::Command;

    #[test]
    fn a_failed_command_is_shown_as_typed_with_its_status() {
        let error = succeed(Command::new("sh").args(["-c", "exit 3"]))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "sh -c exit 3: exit status: 3");
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let error = succeed(&mut Command::new("/no/such/program")).unwrap_err();
        assert!(
            format!("{error:#}").starts_with("/no/such/program: No such file"),
            "{error:#}"
        );
    }

    #[test]
    fn a_command_line_is_shown_in_order() {
        assert_eq!(
            shown(Command::new("apt-get").args(["install", "runc"])),
            "apt-get install runc"
        );
    }
}
