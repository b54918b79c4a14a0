//! Commands with a clock, commands on the scales, and the processes that they
//! leave to us.

use crate::root::{shown, succeed};
use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs a command to its end, which has to be a success.
pub(super) fn timed(mut command: Command) -> Result<Duration> {
    let begin = Instant::now();
    succeed(&mut command)?;
    Ok(begin.elapsed())
}

/// Runs a command and tells the most memory that it, or a child it waited for,
/// has had resident: kibibytes, as getrusage(2) counts them.
///
/// Not from us: what the caller of execve(2) had resident counts too, and
/// time(1) has less than a static program has.
pub(super) fn weighed(command: &Command, scratch: &Path) -> Result<u64> {
    let file = scratch.join("peak");
    let mut time = Command::new("/usr/bin/time");
    time.args(["-f", "%M", "-o"]).arg(&file);
    time.arg(command.get_program()).args(command.get_args());
    time.stdin(std::process::Stdio::null());
    time.stdout(std::process::Stdio::null());
    succeed(&mut time)?;
    let text = fs::read_to_string(&file).context("time -o")?;
    text.trim().parse().with_context(|| shown(&time))
}

/// The pid in a `--pid-file`.
pub(super) fn read_pid(file: &Path) -> Result<i32> {
    let name = || file.display().to_string();
    let text = fs::read_to_string(file).with_context(name)?;
    text.trim().parse().with_context(name)
}

/// Waits for a container's end: its runtime has ended before, so it is our
/// child.
pub(super) fn reap(pid: i32) -> Result<()> {
    match waitpid(Pid::from_raw(pid), None) {
        // The runtime itself has waited for it.
        Ok(_) | Err(Errno::ECHILD) => Ok(()),
        Err(errno) => Err(errno).with_context(|| format!("waitpid({pid})")),
    }
}
