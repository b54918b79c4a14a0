//! News of the OOM killer at the moment it strikes, from a descriptor.
//! Run: `sudo target/debug/examples/oom`

use anyhow::Result;
use namespaces::cgroup::{Cgroup, Limit, Limits};
use namespaces::process::{Gate, SpawnOptions, spawn};
use nix::poll::{PollFd, PollFlags, poll};
use std::os::fd::AsFd;
use std::{hint::black_box, path::Path};

fn main() -> Result<()> {
    let name = format!("example-{}", std::process::id());
    let cgroup = Cgroup::create(Path::new(&name))?;
    let memory = Some(Limit::At(16 << 20));
    cgroup.set(&Limits { memory, ..Limits::default() })?;
    let watch = cgroup.watch_oom()?;

    let gate = Gate::new()?;
    let child = spawn(&SpawnOptions::default(), || {
        let opened = gate.wait();
        // Every page of it is written to; pages that are not cost nothing.
        black_box(vec![b'x'; 64 << 20]);
        opened.map_or(1, |()| 0)
    })?;
    cgroup.add(child.pid())?;
    gate.open()?;

    let mut news = [PollFd::new(watch.as_fd(), PollFlags::POLLIN)];
    println!("news: {}", poll(&mut news, 10_000_u16)? == 1);
    println!("the child: {:?}", child.wait()?);
    println!("killed: {}", watch.kills()?);
    Ok(())
}
