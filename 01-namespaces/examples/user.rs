//! Root inside a user namespace: over what that namespace owns, nothing else.
//! Run: `target/debug/examples/user`

use anyhow::Result;
use namespaces::idmap::{Caller, IdMaps};
use namespaces::namespace::{Namespace, unshare};
use namespaces::process::{Gate, SpawnOptions, spawn};
use nix::unistd::{getuid, sethostname};

fn main() -> Result<()> {
    let namespaces = [Namespace::User].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let gate = Gate::new()?;
    let child = spawn(&options, || {
        let done = inside(&gate).inspect_err(|error| eprintln!("{error:#}"));
        done.map_or(1, |()| 0)
    })?;
    IdMaps::root_is_caller(&Caller::current()).write(child.pid())?;
    gate.open()?;
    child.wait()?;
    println!("parent: I am {}", getuid());
    Ok(())
}

fn inside(gate: &Gate) -> Result<()> {
    gate.wait()?;
    println!("child:  I am {}", getuid());
    println!("child:  name the host: {:?}", sethostname("mine"));
    // This UTS namespace is made, and so owned, by our user namespace.
    unshare([Namespace::Uts].into_iter().collect())?;
    println!("child:  name my own: {:?}", sethostname("mine"));
    Ok(())
}
