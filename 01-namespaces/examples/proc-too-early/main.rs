//! A command that sees its own processes in /proc, and no others.
//! Run: `sudo target/debug/examples/proc-too-early ps ax`

use anyhow::{Result, bail};
use namespaces::mounts::Mount;
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::process::{SpawnOptions, spawn};
use namespaces::rootfs::make_private;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> Result<ExitCode> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [program, args @ ..] = argv.as_slice() else {
        bail!("usage: proc-too-early COMMAND..");
    };
    // EXERCISE 01.2 begin
    // STARTER: unshare(Namespaces::from_iter([Namespace::Mount]))?;
    // STARTER: make_private()?;
    // STARTER: Mount::new("proc", "/proc").mount()?;
    // STARTER: let namespaces = Namespaces::from_iter([Namespace::Pid]);
    // STARTER: let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    // STARTER: let child = spawn(&options, || {
    // STARTER:     eprintln!("{}", Command::new(program).args(args).exec());
    // STARTER:     127
    // STARTER: })?;
    unshare(Namespaces::from_iter([Namespace::Mount]))?;
    make_private()?;
    let namespaces = Namespaces::from_iter([Namespace::Pid]);
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let child = spawn(&options, || {
        // Here, and not before: a /proc shows the namespace of its mounter.
        if let Err(error) = Mount::new("proc", "/proc").mount() {
            eprintln!("{error}");
            return 1;
        }
        eprintln!("{}", Command::new(program).args(args).exec());
        127
    })?;
    // EXERCISE 01.2 end
    Ok(ExitCode::from(child.wait()?.code() as u8))
}
