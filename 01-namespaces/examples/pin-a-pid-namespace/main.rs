//! A pid namespace that is held, but has lost its init: nobody is born in it.
//! Run: `sudo target/debug/examples/pin-a-pid-namespace`

use anyhow::Result;
use namespaces::namespace::{Namespace, open_namespace, setns};
use namespaces::process::{Gate, SpawnOptions, spawn};
use std::os::fd::AsFd;

fn main() -> Result<()> {
    let namespaces = [Namespace::Pid].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let gate = Gate::new()?;
    // The init of a new pid namespace; it only waits until we hold that.
    let init = spawn(&options, || i32::from(gate.wait().is_err()))?;
    let held = open_namespace(init.pid(), Namespace::Pid)?;
    gate.open()?;
    init.wait()?;

    println!("enter: {:?}", setns(held.as_fd(), Namespace::Pid));
    match spawn(&SpawnOptions::default(), || 0) {
        Ok(child) => println!("fork: {:?}", child.wait()?),
        Err(error) => println!("fork: {error}"),
    }
    Ok(())
}
