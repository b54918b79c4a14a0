//! A careless runtime makes a mount point with paths put together:
//! CVE-2024-45310, small.
//! Run: `sudo target/debug/examples/mount-point-outside ROOT PLACE COMMAND..`

use anyhow::{Result, bail};
use namespaces::mounts::Mount;
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::rootfs::{bind_root, make_private, pivot};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

fn main() -> Result<()> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [root, place, program, args @ ..] = argv.as_slice() else {
        bail!("usage: mount-point-outside ROOT PLACE COMMAND..");
    };
    let root = Path::new(root);
    plant(root, place)?;
    unshare(Namespaces::from_iter([Namespace::Mount]))?;
    make_private()?;
    let point = root.join("data/made");
    fs::create_dir_all(&point)?;
    Mount::new("tmpfs", point).mount()?;
    pivot(bind_root(root)?)?;
    Err(Command::new(program).args(args).exec().into())
}

/// The image: whatever its author likes, below `root`.
fn plant(root: &Path, place: &str) -> Result<()> {
    // EXERCISE 02.15 begin
    // STARTER: // `data` is not there: the runtime will make it.
    // STARTER: Ok(())
    // Absolute, and followed before the pivot: a path of the host.
    Ok(symlink(place, root.join("data"))?)
    // EXERCISE 02.15 end
}
