//! The same cgroup, by its name in the machine's tree and as the root of one.
//! Run: `sudo target/debug/examples/cgroup`

use anyhow::Result;
use namespaces::cgroup::Cgroup;
use namespaces::namespace::{Namespace, unshare};
use namespaces::process::{Gate, SpawnOptions, spawn};
use std::{fs, path::Path};

fn main() -> Result<()> {
    let name = format!("example-{}", std::process::id());
    let cgroup = Cgroup::create(Path::new(&name))?;
    let gate = Gate::new()?;
    let child = spawn(&SpawnOptions::default(), || {
        let done = inside(&gate).inspect_err(|error| eprintln!("{error:#}"));
        done.map_or(1, |()| 0)
    })?;
    cgroup.add(child.pid())?;
    gate.open()?;
    child.wait()?;
    Ok(())
}

fn inside(gate: &Gate) -> Result<()> {
    gate.wait()?;
    show("before");
    // Its root is where we are *now*; at clone3(2) that was elsewhere.
    unshare([Namespace::Cgroup].into_iter().collect())?;
    show("after");
    Ok(())
}

fn show(when: &str) {
    let all = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    // v1: a line for each controller; v2: one line, 0::PATH.
    let line = all.lines().find(|l| l.contains("pids") || l.starts_with("0:"));
    println!("{when}: {}", line.unwrap_or_default());
}
