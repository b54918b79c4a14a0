//! Root in a chroot(2) walks out of it, then executes the command.
//! Run: `sudo target/debug/examples/leave-chroot JAIL COMMAND..`

use anyhow::{Result, bail};
use nix::unistd::{chdir, chroot};
use std::fs::create_dir;
use std::os::unix::process::CommandExt;
use std::process::Command;

fn main() -> Result<()> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [jail, program, args @ ..] = argv.as_slice() else {
        bail!("usage: leave-chroot JAIL COMMAND..");
    };
    chroot(jail.as_str())?;
    chdir("/")?;
    leave()?;
    Err(Command::new(program).args(args).exec().into())
}

/// Makes `/` the host's root again.
fn leave() -> Result<()> {
    // EXERCISE 01.7 begin
    // STARTER: // You are root, and `/` is the jail.
    // STARTER: Ok(())
    create_dir("hole")?;
    // The root moves into the hole, and we do not: `..` stops only at the root.
    chroot("hole")?;
    for _ in 0..64 {
        chdir("..")?;
    }
    Ok(chroot(".")?)
    // EXERCISE 01.7 end
}
