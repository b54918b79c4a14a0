//! Hides /masked in a root whose author is an enemy.
//! Run: `sudo target/debug/examples/mask-that-holds ROOT COMMAND..`

use anyhow::{Result, bail};
use namespaces::mounts::Mount;
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::root::Root;
use namespaces::rootfs::{bind_root, make_private, pivot};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

fn main() -> Result<()> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [root, program, args @ ..] = argv.as_slice() else {
        bail!("usage: mask-that-holds ROOT COMMAND..");
    };
    unshare(Namespaces::from_iter([Namespace::Mount]))?;
    make_private()?;
    let root = bind_root(Path::new(root))?;
    mask(&root)?;
    pivot(root)?;
    Err(Command::new(program).args(args).exec().into())
}

fn mask(root: &Root) -> Result<()> {
    // EXERCISE 02.12 begin
    // STARTER: let null = root.path().join("dev/null");
    // STARTER: Ok(Mount::bind(null, root.path().join("masked")).mount()?)
    // The host's device, and the target as the container would find it.
    Ok(Mount::bind("/dev/null", "/masked").mount_in(root)?)
    // EXERCISE 02.12 end
}
