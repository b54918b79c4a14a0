//! The shim's children, as the kernel lists them. A subreaper inherits whatever
//! a runtime leaves behind when it is killed half-way: its init, a hook that
//! hangs. Those are ours to end; nobody else knows of them.

use std::fs;
use std::os::fd::AsFd;
use std::time::Duration;

use anyhow::{Result, bail};
use namespaces::process;
use nix::libc::SIGKILL;
use nix::unistd::Pid;

/// How long a process may take to be torn down after SIGKILL before we stop
/// waiting for it.
const TEARDOWN: Duration = Duration::from_secs(5);

/// Generations of descendants that are followed: each comes to us when the one
/// above it has ended.
const GENERATIONS: usize = 100;

/// Returns the parent of a process.
///
/// Source: `proc_pid_stat(5)`, "ppid"
pub(crate) fn parent(pid: Pid) -> Option<Pid> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name, in parentheses. The process chooses it, and
    // any bytes will do, parentheses too.
    let stat = String::from_utf8_lossy(&stat);
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(1)?.parse().ok().map(Pid::from_raw)
}

/// Kills all children and those that they leave behind, and reaps them. Returns
/// whether there were any.
///
/// # Errors
/// A process does not end, because it hangs in the kernel; or there is no end
/// of new ones.
pub(crate) fn kill_all() -> Result<bool> {
    for generation in 0..GENERATIONS {
        let children = children()?;
        if children.is_empty() {
            return Ok(generation > 0);
        }
        for child in children {
            kill(child)?;
        }
    }
    bail!("processes of the failed create go on making new ones")
}

fn kill(child: Pid) -> Result<()> {
    // A child of ours that nobody else reaps: its pid is its own until we do.
    let pidfd = process::pidfd_open(child)?;
    process::kill(pidfd.as_fd(), SIGKILL)?;
    if !process::wait_for_end(pidfd.as_fd(), TEARDOWN)? {
        bail!("process {child} of the failed create hangs in the kernel");
    }
    process::wait(pidfd.as_fd())?;
    Ok(())
}

/// Looks through /proc: the file `children` of proc(5) is an option of the
/// kernel that many leave out.
fn children() -> Result<Vec<Pid>> {
    let entries = fs::read_dir("/proc")?;
    let pids = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids
        .map(Pid::from_raw)
        .filter(|pid| parent(*pid) == Some(Pid::this()))
        .collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by it")]
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    #[test]
    fn a_child_is_ours_whatever_it_calls_itself() {
        let script = "printf 'x) Z \\377' > /proc/$$/comm; echo done; read go";
        let mut child = Command::new("sh");
        let child = child.args(["-c", script]);
        let child = child.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let pid = Pid::from_raw(child.id() as i32);
        assert_eq!(parent(pid), Some(Pid::this()), "{line}");
        // Its standard input is closed first: `read` ends.
        child.wait().unwrap();
    }
}
