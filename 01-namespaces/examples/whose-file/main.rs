//! A command as root of a user namespace, which is uid 100000 outside.
//! Run: `sudo target/debug/examples/whose-file sh`

use anyhow::{Result, bail};
use namespaces::idmap::{IdMapping, IdMaps};
use namespaces::namespace::Namespace;
use namespaces::process::{Gate, SpawnOptions, spawn};
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> Result<ExitCode> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [program, args @ ..] = argv.as_slice() else {
        bail!("usage: whose-file COMMAND..");
    };
    let namespaces = [Namespace::User].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let gate = Gate::new()?;
    let child = spawn(&options, || {
        if let Err(error) = become_root(&gate) {
            eprintln!("{error:#}");
            return 1;
        }
        eprintln!("{}", Command::new(program).args(args).exec());
        127
    })?;
    let ids = IdMapping { inside: 0, outside: 100_000, count: 1000 };
    IdMaps { uids: vec![ids], gids: vec![ids] }.write(child.pid())?;
    gate.open()?;
    Ok(ExitCode::from(child.wait()?.code() as u8))
}

/// Runs in the child, which is nobody in here until its parent has written the
/// maps.
fn become_root(gate: &Gate) -> Result<()> {
    gate.wait()?;
    setgroups(&[])?;
    setgid(Gid::from_raw(0))?;
    Ok(setuid(Uid::from_raw(0))?)
}
