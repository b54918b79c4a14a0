//! A command that may use so many bytes of memory and no more.
//! Run: `sudo target/debug/examples/memory-limit 16000000 COMMAND..`

use anyhow::{Result, bail};
use namespaces::cgroup::{Cgroup, Limit, Limits};
use namespaces::process::{Gate, SpawnOptions, spawn};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

fn main() -> Result<ExitCode> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [bytes, program, args @ ..] = argv.as_slice() else {
        bail!("usage: memory-limit BYTES COMMAND..");
    };
    let command = &mut Command::new(program);
    let status = run_limited(bytes.parse()?, command.args(args))?;
    Ok(ExitCode::from(status as u8))
}

/// Runs the command in a cgroup of its own, which is removed afterwards.
fn run_limited(bytes: u64, command: &mut Command) -> Result<i32> {
    // EXERCISE 01.10 begin
    // STARTER: // It runs without any limit.
    // STARTER: let child = spawn(&SpawnOptions::default(), || {
    // STARTER:     eprintln!("{}", command.exec());
    // STARTER:     127
    // STARTER: })?;
    // STARTER: Ok(child.wait()?.code())
    let name = PathBuf::from(format!("memory-limit-{}", std::process::id()));
    let mut cgroup = Cgroup::create(&name)?;
    let memory = Some(Limit::At(bytes));
    cgroup.set(&Limits { memory, ..Limits::default() })?;
    let gate = Gate::new()?;
    let child = spawn(&SpawnOptions::default(), || {
        // Not before it is in there: what it had used until then would not
        // count.
        if gate.wait().is_err() {
            return 1;
        }
        eprintln!("{}", command.exec());
        127
    })?;
    cgroup.add(child.pid())?;
    gate.open()?;
    let status = child.wait()?;
    cgroup.remove()?;
    Ok(status.code())
    // EXERCISE 01.10 end
}
