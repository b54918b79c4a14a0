//! Mounts a file system that only the child sees, as an ordinary user.
//! Run: `target/debug/examples/mount`

use anyhow::Result;
use namespaces::idmap::{Caller, IdMaps};
use namespaces::mounts::Mount;
use namespaces::namespace::Namespace;
use namespaces::process::{Gate, SpawnOptions, spawn};
use namespaces::rootfs::make_private;
use std::fs;

fn main() -> Result<()> {
    let namespaces = [Namespace::User, Namespace::Mount].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let gate = Gate::new()?;
    let child = spawn(&options, || {
        let done = inside(&gate).inspect_err(|error| eprintln!("{error:#}"));
        done.map_or(1, |()| 0)
    })?;
    // Before that the child is nobody, and may not mount.
    IdMaps::root_is_caller(&Caller::current()).write(child.pid())?;
    gate.open()?;
    child.wait()?;
    println!("parent: /tmp/hello is there: {}", fs::exists("/tmp/hello")?);
    Ok(())
}

fn inside(gate: &Gate) -> Result<()> {
    gate.wait()?;
    make_private()?;
    Mount::new("tmpfs", "/tmp").mount()?;
    fs::write("/tmp/hello", "hello")?;
    println!("child:  /tmp/hello is there: {}", fs::exists("/tmp/hello")?);
    Ok(())
}
