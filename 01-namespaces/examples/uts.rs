//! Gives a child a host name of its own; ours stays.
//! Run: `sudo target/debug/examples/uts`

use anyhow::Result;
use namespaces::namespace::Namespace;
use namespaces::process::{SpawnOptions, spawn};
use nix::unistd::{gethostname, sethostname};

fn main() -> Result<()> {
    let namespaces = [Namespace::Uts].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let child = spawn(&options, || {
        let done = sethostname("inside").and_then(|()| gethostname());
        println!("child:  {done:?}");
        0
    })?;
    child.wait()?;
    println!("parent: {:?}", gethostname());
    Ok(())
}
