//! A handle on a process: it tells the end, and never means somebody else.
//! Run: `target/debug/examples/pidfd`

use anyhow::Result;
use namespaces::process::{SpawnOptions, spawn, wait_for_end};
use nix::unistd::pause;
use std::time::Duration;

fn main() -> Result<()> {
    // clone3(2) with CLONE_PIDFD: the handle is there before the child runs.
    let child = spawn(&SpawnOptions::default(), || {
        pause();
        0
    })?;
    let ended = |limit| wait_for_end(child.pidfd(), limit);
    println!("ended: {}", ended(Duration::ZERO)?);
    child.kill(libc::SIGTERM)?;
    println!("ended: {}", ended(Duration::from_secs(9))?);
    println!("how: {:?}", child.wait()?);
    // By now another process may have got that pid. It is safe from us.
    println!("again: {:?}", child.kill(libc::SIGKILL).map_err(|e| e.errno));
    Ok(())
}
