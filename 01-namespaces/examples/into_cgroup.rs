//! A child born in a cgroup: not one instruction of it runs without limits.
//! Run: `sudo target/debug/examples/into_cgroup`

use anyhow::Result;
use namespaces::cgroup::Cgroup;
use namespaces::process::{Gate, SpawnOptions, spawn};
use std::os::fd::AsFd;
use std::{fs, path::Path};

fn main() -> Result<()> {
    let name = format!("example-{}", std::process::id());
    let cgroup = Cgroup::create(Path::new(&name))?;
    // CLONE_INTO_CGROUP. Cgroup v1 has no such thing (`None`): there the child
    // begins in our own cgroup, and waits at a gate until it was moved.
    let dir = cgroup.dir_fd()?;
    let born_in = dir.as_ref().map(AsFd::as_fd);
    let options = SpawnOptions { cgroup: born_in, ..SpawnOptions::default() };
    let gate = Gate::new()?;
    let child = spawn(&options, || {
        show("born in");
        let opened = gate.wait();
        show("works in");
        opened.map_or(1, |()| 0)
    })?;
    if born_in.is_none() {
        cgroup.add(child.pid())?;
    }
    gate.open()?;
    child.wait()?;
    Ok(())
}

fn show(when: &str) {
    let all = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    // v1: a line for each controller; v2: one line, 0::PATH.
    let line = all.lines().find(|l| l.contains("pids") || l.starts_with("0:"));
    println!("{when} {}", line.unwrap_or_default());
}
