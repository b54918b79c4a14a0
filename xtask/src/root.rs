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
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

/// Where root's programs lie, such as pivot_root(8): a user's PATH on Debian
/// leaves these folders out.
const OF_ROOT: &[&str] = &["/usr/local/sbin", "/usr/sbin", "/sbin"];

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
    if let Ok(path) = env::join_paths(search_path()) {
        sudo.arg(assignment("PATH", &path));
    }
    if let Some(path) = env::var_os("LD_LIBRARY_PATH") {
        sudo.arg(assignment("LD_LIBRARY_PATH", &path));
    }
    sudo.arg(program);
    sudo
}

/// The folders in which root finds programs: the caller's PATH, then root's own.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = env::split_paths(&inherited).collect();
    for folder in OF_ROOT.iter().map(PathBuf::from) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// `NAME=VALUE`, for env(1).
pub(crate) fn assignment(name: &str, value: &OsStr) -> OsString {
    let mut assignment = OsString::from(format!("{name}="));
    assignment.push(value);
    assignment
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

/// The command line as one would type it, for messages; search paths are long
/// and tell nothing.
pub(crate) fn shown(command: &Command) -> String {
    let words =
        std::iter::once(command.get_program()).chain(command.get_args());
    let word = |word: &OsStr| match word.to_string_lossy() {
        path if path.starts_with("PATH=") => "PATH=..".to_owned(),
        path if path.starts_with("LD_LIBRARY_PATH=") => "LD_..".to_owned(),
        other => other.into_owned(),
    };
    words.map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{search_path, shown, succeed};
    use std::path::Path;
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
    fn root_finds_its_programs_whatever_the_caller_s_path() {
        let folders = search_path();
        let sbin = folders.iter().filter(|dir| *dir == Path::new("/usr/sbin"));
        assert_eq!(sbin.count(), 1, "{folders:?}");
    }

    #[test]
    fn a_command_line_is_shown_in_order() {
        assert_eq!(
            shown(Command::new("apt-get").args(["install", "runc"])),
            "apt-get install runc"
        );
    }
}
