//! Makes containers and removes them again; `cargo xtask soak` counts the rest.

use anyhow::{Result, ensure};
use namespaces::cgroup::{Cgroup, Limit, Limits};
use namespaces::idmap::{Caller, IdMaps};
use namespaces::process::{Gate, SpawnOptions, spawn};
use namespaces::{mounts::Mount, namespace::Namespace, root::Root, rootfs};
use std::{io::stdin, path::Path, process};

fn main() -> Result<()> {
    let name = format!("rounds-{}", process::id());
    for count in stdin().lines() {
        (0..count?.parse()?).try_for_each(|_: u32| round(&name))?;
        println!("done");
    }
    Ok(())
}

fn round(name: &str) -> Result<()> {
    let mut cgroup = Cgroup::create(Path::new(name))?;
    cgroup.set(&Limits { pids: Some(Limit::At(1)), ..Limits::default() })?;
    let (gate, namespaces) = (Gate::new()?, Namespace::all().collect());
    let child = spawn(&SpawnOptions { namespaces, cgroup: None }, || {
        inside(&gate).inspect_err(|e| eprintln!("{e}")).map_or(1, |()| 0)
    })?;
    IdMaps::root_is_caller(&Caller::current()).write(child.pid())?;
    cgroup.add(child.pid())?;
    gate.open()?;
    ensure!(child.wait()?.code() == 0, "the container failed");
    Ok(cgroup.remove()?)
}

fn inside(gate: &Gate) -> namespaces::Result<()> {
    gate.wait()?;
    rootfs::make_private()?;
    Mount::new("tmpfs", "/mnt").mount()?;
    let root = Root::open(Path::new("/mnt"))?;
    Mount::new("proc", "/proc").mount_in(&root)?;
    rootfs::pivot(root)
}
