//! A command that is nobody special, in a root of its own: six steps.
//! Run: `sudo target/debug/examples/order-of-losses ROOT 1000 COMMAND..`

use anyhow::{Result, bail};
use namespaces::capabilities::{Capabilities, limit_bounding};
use namespaces::mounts::Mount;
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::rootfs::{bind_root, make_private, pivot};
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

fn main() -> Result<()> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [root, id, program, args @ ..] = argv.as_slice() else {
        bail!("usage: order-of-losses ROOT UID COMMAND..");
    };
    unshare(Namespaces::from_iter([Namespace::Mount]))?;
    make_private()?;
    confine(Path::new(root), id.parse()?)?;
    Err(Command::new(program).args(args).exec().into())
}

fn confine(root: &Path, id: u32) -> Result<()> {
    let root = bind_root(root)?;
    std::fs::create_dir_all(root.path().join("proc"))?;
    // EXERCISE 02.6 begin
    // STARTER: setuid(Uid::from_raw(id))?;
    // STARTER: setgid(Gid::from_raw(id))?;
    // STARTER: setgroups(&[])?;
    // STARTER: limit_bounding(Capabilities::default())?;
    // STARTER: Mount::new("proc", "/proc").mount_in(&root)?;
    // STARTER: pivot(root)?;
    // The handle `root` is of no use after the pivot; and both need rights.
    Mount::new("proc", "/proc").mount_in(&root)?;
    pivot(root)?;
    // CAP_SETPCAP, CAP_SETGID: all are gone with the last line.
    limit_bounding(Capabilities::default())?;
    setgroups(&[])?;
    setgid(Gid::from_raw(id))?;
    setuid(Uid::from_raw(id))?;
    // EXERCISE 02.6 end
    Ok(())
}
