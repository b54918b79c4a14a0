//! isolate(1): namespaces and cgroups from the command line: runs one command
//! in new ones, waits for it, and leaves nothing behind. Its subcommands, one
//! file each, are about those that exist.

mod child;
mod cli;
mod enter;
mod plan;
mod report;
mod run;
mod stale;
mod step;
mod target;

use anyhow::Result;
use cli::Subcommand;
use std::process::ExitCode;

/// The exit code for a failure of our own; env(1), docker and podman use it so.
const OUR_FAILURE: u8 = 125;

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("isolate: {error:#}");
            ExitCode::from(OUR_FAILURE)
        }
    }
}

fn dispatch() -> Result<u8> {
    let Some(command_line) = cli::parse()? else { return Ok(0) };
    match &command_line.subcommand {
        None => run::run(&command_line.run),
        Some(Subcommand::Enter(options)) => enter::enter(options),
    }
}
