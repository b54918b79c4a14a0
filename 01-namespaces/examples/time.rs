//! A child for which the machine was started a day earlier.
//! Run: `sudo target/debug/examples/time`

use anyhow::Result;
use namespaces::namespace::{Namespace, unshare};
use namespaces::process::{SpawnOptions, spawn};
use nix::time::{ClockId, clock_gettime};
use std::fs;

fn main() -> Result<()> {
    println!("parent: up for {}", uptime()?);
    // Our children will be in it; we are not.
    unshare([Namespace::Time].into_iter().collect())?;
    // Only before the first of them: a clock may not jump under a process.
    fs::write("/proc/self/timens_offsets", "boottime 86400 0")?;
    let child = spawn(&SpawnOptions::default(), || {
        println!("child:  up for {}", uptime().unwrap_or_default());
        0
    })?;
    child.wait()?;
    let late = fs::write("/proc/self/timens_offsets", "boottime 0 0");
    println!("parent: set it back: {}", late.is_ok());
    Ok(())
}

fn uptime() -> Result<String> {
    let seconds = clock_gettime(ClockId::CLOCK_BOOTTIME)?.tv_sec();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    Ok(format!("{days} days and {hours} hours"))
}
