//! Pressure: two processes that want one processor, and the news that they
//! wait. Run: `sudo target/debug/examples/pressure`

use anyhow::Result;
use namespaces::cgroup::*;
use namespaces::process::{SpawnOptions, spawn};
use nix::poll::{PollFd, PollFlags, poll};
use std::{hint, os::fd::AsFd, path::Path, time::Duration};

fn main() -> Result<()> {
    let name = format!("example-{}", std::process::id());
    let cgroup = Cgroup::create(Path::new(&name))?;
    let cpus = Some("0".parse()?);
    cgroup.set(&Limits { cpus, ..Limits::default() })?;
    let (threshold, window) = (Duration::from_millis(100), TWO_SECONDS);
    let trigger = Trigger { stalled: Stalled::Some, threshold, window };
    // v1 knows only the pressure on the whole machine.
    let watch = match cgroup.version() {
        Version::V1 => PressureWatch::of_machine(Resource::Cpu, trigger)?,
        Version::V2 => cgroup.watch_pressure(Resource::Cpu, trigger)?,
    };

    let busy = || loop {
        hint::spin_loop();
    };
    for _ in 0..2 {
        cgroup.add(spawn(&SpawnOptions::default(), busy)?.pid())?;
    }
    let mut news = [PollFd::new(watch.as_fd(), PollFlags::POLLPRI)];
    println!("news: {}", poll(&mut news, 60_000_u16)? == 1);
    println!("of the machine: {:?}", Pressure::of_machine(Resource::Cpu)?.some);
    Ok(())
}

/// The shortest window that an ordinary user may ask for.
const TWO_SECONDS: Duration = Duration::from_secs(2);
