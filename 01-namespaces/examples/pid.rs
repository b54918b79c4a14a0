//! One process, two pids: what the parent sees, and what the child sees.
//! Run: `sudo target/debug/examples/pid`

use anyhow::Result;
use namespaces::namespace::Namespace;
use namespaces::process::{SpawnOptions, spawn};
use nix::unistd::{getpid, getppid};

fn main() -> Result<()> {
    let namespaces = [Namespace::Pid].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let child = spawn(&options, || {
        // The parent is outside: its pid cannot be said in here, so it is 0.
        println!("child:  I am {}, my parent is {}", getpid(), getppid());
        0
    })?;
    println!("parent: I am {}, my child is {}", getpid(), child.pid());
    println!("parent: it ended: {:?}", child.wait()?);
    Ok(())
}
