//! isolate(1): namespaces and cgroups from the command line: runs one command
//! in new ones, waits for it, and leaves nothing behind. Its subcommands, one
//! file each, are about those that exist.

mod child;
mod cli;
mod enter;
mod inspect;
mod output;
mod pin;
mod plan;
mod report;
mod run;
mod stale;
mod step;
mod target;

use anyhow::Result;
use cli::Subcommand;
use namespaces::InCall;
use namespaces::process::reset_signals;
use nix::sys::signal::{SigSet, Signal};
use std::process::ExitCode;

/// The exit code for a failure of our own; env(1), docker and podman use it so.
const OUR_FAILURE: u8 = 125;

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::tell(format_args!("{error:#}"));
            ExitCode::from(OUR_FAILURE)
        }
    }
}

fn dispatch() -> Result<u8> {
    let Some(command_line) = cli::parse()? else { return Ok(0) };
    take_signals()?;
    match &command_line.subcommand {
        None => run::run(&command_line.run),
        Some(Subcommand::Enter(options)) => enter::enter(options),
        Some(Subcommand::Inspect(options)) => inspect::inspect(options),
        Some(Subcommand::Pin(options)) => pin::pin(options),
        Some(Subcommand::Unpin(options)) => pin::unpin(options),
    }
}

/// Makes signals what we count on, whoever started us.
fn take_signals() -> Result<()> {
    // To ignore SIGCHLD is inherited, and would keep the exit status from us.
    reset_signals()?;
    // Who reads what we tell may be gone; there is still a cgroup to remove.
    let pipe: SigSet = [Signal::SIGPIPE].into_iter().collect();
    pipe.thread_block().in_call(|| "sigprocmask(SIG_BLOCK, ..)".into())?;
    Ok(())
}
