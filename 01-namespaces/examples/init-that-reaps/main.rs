//! A command under an init of our own in a new pid namespace.
//! Run: `sudo target/debug/examples/init-that-reaps sh`

use anyhow::{Result, bail};
use namespaces::namespace::Namespace;
use namespaces::process::{Child, SpawnOptions, spawn};
use nix::sys::wait::{WaitStatus, wait};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> Result<ExitCode> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [program, args @ ..] = argv.as_slice() else {
        bail!("usage: init-that-reaps COMMAND..");
    };
    let namespaces = [Namespace::Pid].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let init = spawn(&options, || {
        init(Command::new(program).args(args)).unwrap_or_else(|error| {
            eprintln!("{error:#}");
            1
        })
    })?;
    Ok(ExitCode::from(init.wait()?.code() as u8))
}

/// The life of process 1. Returns the exit code of the command.
fn init(command: &mut Command) -> Result<i32> {
    let child = spawn(&SpawnOptions::default(), || {
        eprintln!("{}", command.exec());
        127
    })?;
    reap_until(&child)
}

/// Waits for the command, and buries whoever else ends.
fn reap_until(command: &Child) -> Result<i32> {
    // EXERCISE 01.6 begin
    // STARTER: Ok(command.wait()?.code())
    loop {
        match wait()? {
            WaitStatus::Exited(pid, status) if pid == command.pid() => {
                return Ok(status);
            }
            WaitStatus::Signaled(pid, signal, _) if pid == command.pid() => {
                return Ok(128 + signal as i32);
            }
            // An orphan. Nobody asks how it ended; it only had to be reaped.
            _ => {}
        }
    }
    // EXERCISE 01.6 end
}
