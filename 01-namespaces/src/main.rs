//! isolate(1): namespaces and cgroups from the command line: runs one command
//! in new ones, waits for it, and leaves nothing behind.

mod child;
mod cli;
mod plan;
mod report;
mod run;
mod stale;
mod step;

use anyhow::Result;
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
    match cli::parse()? {
        Some(options) => run::run(&options),
        None => Ok(0),
    }
}
