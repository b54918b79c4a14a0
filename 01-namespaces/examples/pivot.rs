//! Exchanges the root mount, call by call: for a moment both are there.
//! Run: `sudo target/debug/examples/pivot`

use anyhow::Result;
use namespaces::mounts::Mount;
use namespaces::namespace::Namespace;
use namespaces::process::{SpawnOptions, spawn};
use namespaces::rootfs::{bind_root, make_private};
use nix::mount::{MntFlags, umount2};
use nix::unistd::{fchdir, pivot_root};
use std::{fs, path::Path};

fn main() -> Result<()> {
    let dir = std::env::temp_dir().join(std::process::id().to_string());
    fs::create_dir_all(dir.join("proc"))?;
    let namespaces = [Namespace::Mount].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let child = spawn(&options, || {
        println!("result: {:?}", inside(&dir));
        0
    })?;
    child.wait()?;
    Ok(fs::remove_dir_all(dir)?)
}

fn inside(dir: &Path) -> Result<()> {
    make_private()?;
    let root = bind_root(dir)?;
    Mount::new("proc", "/proc").mount_in(&root)?;
    fchdir(&root)?;
    pivot_root(".", ".")?;
    println!("after pivot_root: ../etc is there: {}", fs::exists("../etc")?);
    umount2(".", MntFlags::MNT_DETACH)?;
    println!("after umount:     ../etc is there: {}", fs::exists("../etc")?);
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    println!("mounts that are left: {}", mounts.lines().count());
    Ok(())
}
