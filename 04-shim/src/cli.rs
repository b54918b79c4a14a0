//! The command line, in conmon's names where the meaning is conmon's. Paths
//! become absolute here, because the shim works in `/`: a working directory of
//! its own would keep somebody's file system from being unmounted.

use std::path::{Path, PathBuf};

use clap::Parser;

/// Runs one container through an OCI runtime, and outlives whoever asked for
/// it.
///
/// Answers with one line of JSON on standard output, or on the descriptor that
/// _OCI_SYNCPIPE names: the container process' pid, or why there is none. Then
/// it keeps the container's log, and writes how it ended to the exit file.
#[derive(Debug, Parser)]
#[command(name = "conman-shim", version)]
pub(crate) struct Options {
    /// The container's id, handed to the runtime
    #[arg(long, value_name = "ID")]
    pub(crate) cid: String,
    /// The OCI bundle
    #[arg(long, value_name = "DIR", value_parser = absolute)]
    pub(crate) bundle: PathBuf,
    /// Any OCI runtime's program: a path, or a name on PATH
    #[arg(long, value_name = "PROGRAM", value_parser = program)]
    pub(crate) runtime: PathBuf,
    /// An argument for the runtime before the verb, such as --root and its
    /// directory (two of them)
    #[arg(
        long = "runtime-arg",
        value_name = "ARG",
        allow_hyphen_values = true
    )]
    pub(crate) runtime_args: Vec<String>,
    /// Where the runtime writes the container process' pid
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub(crate) container_pidfile: PathBuf,
    /// Where the shim writes its own pid; locked as long as it lives
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub(crate) shim_pidfile: PathBuf,
    /// Where the shim writes how the container ended; must not exist yet
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub(crate) exit_file: PathBuf,
    /// The container's log, in CRI format
    #[arg(long, value_name = "FILE", value_parser = absolute)]
    pub(crate) log_path: PathBuf,
}

/// Reads the command line.
///
/// # Errors
/// What is wrong with it, in one line. `--help` and `--version` print and end
/// the process.
pub(crate) fn parse() -> Result<Options, String> {
    Options::try_parse().map_err(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        one_line(&error.to_string())
    })
}

/// Shortens an error of clap's to its first paragraph: what follows is the
/// usage, which `--help` shows better.
fn one_line(error: &str) -> String {
    let paragraph =
        error.lines().take_while(|line| !line.is_empty()).map(str::trim);
    let line = paragraph.collect::<Vec<_>>().join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

fn absolute(path: &str) -> Result<PathBuf, std::io::Error> {
    std::path::absolute(Path::new(path))
}

/// Leaves a bare name alone: execvp(3) looks it up on PATH.
fn program(name: &str) -> Result<PathBuf, std::io::Error> {
    if name.contains('/') { absolute(name) } else { Ok(PathBuf::from(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_command_line_is_told_in_one_line() {
        let error =
            Options::try_parse_from(["conman-shim", "--cid", "a"]).unwrap_err();
        let line = one_line(&error.to_string());
        assert!(line.starts_with(
            "the following required arguments were not provided: --bundle"
        ));
        assert!(!line.contains('\n'), "{line}");
    }

    #[test]
    fn a_runtime_is_a_path_or_a_name_on_path() {
        assert_eq!(program("runc").unwrap(), Path::new("runc"));
        assert!(program("./runc").unwrap().is_absolute());
    }
}
