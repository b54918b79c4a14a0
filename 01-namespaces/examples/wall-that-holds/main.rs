//! The wall that chroot(2) is not: the host's root is unmounted.
//! Run: `sudo target/debug/examples/wall-that-holds ROOT COMMAND..`

use anyhow::{Result, bail};
use namespaces::mounts::Mount;
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::rootfs::make_private;
use nix::mount::{MntFlags, umount2};
use nix::unistd::{chdir, pivot_root};
use std::os::unix::process::CommandExt;
use std::process::Command;

fn main() -> Result<()> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [root, program, args @ ..] = argv.as_slice() else {
        bail!("usage: wall-that-holds ROOT COMMAND..");
    };
    unshare(Namespaces::from_iter([Namespace::Mount]))?;
    make_private()?;
    confine(root)?;
    Err(Command::new(program).args(args).exec().into())
}

/// Makes `root` the root of this mount namespace, and lets go of the old one.
fn confine(root: &str) -> Result<()> {
    // EXERCISE 01.8 begin
    // STARTER: nix::unistd::chroot(root)?;
    // STARTER: Ok(chdir("/")?)
    // pivot_root(2) wants a mount point.
    Mount::bind(root, root).mount()?;
    chdir(root)?;
    // The new root lies on top of the old one; `.` is the old one now.
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    Ok(chdir("/")?)
    // EXERCISE 01.8 end
}
