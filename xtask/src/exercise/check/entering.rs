//! Checks of `exec`: what one more process in a container shares with the
//! first, and what ends with whom.

use super::Subject;
use super::answers::compare;
use super::held::{CAT, Held, ends, pidfd};
use super::proc::{identity, namespace};
use super::runtime::Runtime;
use super::scratch::Scratch;
use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::path::Path;

/// Puts two processes into a container, one after the other.
pub(crate) fn prediction(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let runtime = Runtime::of(subject, &scratch)?;
    let bundle = scratch.cat_bundle()?;
    let (mut first, init) = runtime.run(&bundle)?;
    let (second, member) = exec(&runtime, scratch.path())?;
    let same = |is| if is { "yes" } else { "no" }.to_owned();
    let pids = [init, member].map(|pid| namespace(pid, "pid").ok());
    let roots =
        [init, member].map(|pid| identity(format!("/proc/{pid}/root")).ok());
    let cgroups = [init, member]
        .map(|pid| fs::read_to_string(format!("/proc/{pid}/cgroup")).ok());
    let parent = parent_as_it_sees_it(member)?;

    let handle = pidfd(member)?;
    second.end()?;
    ends(&handle)?;
    let fate = match first.answers("still here") {
        Ok(()) => "runs",
        Err(_) => "stops",
    };
    let (_third, member) = exec(&runtime, scratch.path())?;
    let handle = pidfd(member)?;
    kill(init, Signal::SIGKILL)?;
    let end = if ends(&handle)? { "dies" } else { "lives" };
    compare(
        subject,
        &[
            ("its pid namespace is init's", same(pids[0] == pids[1])),
            ("its root is init's", same(roots[0] == roots[1])),
            ("its parent's pid, as it sees it", parent),
            ("its cgroup is init's", same(cgroups[0] == cgroups[1])),
            ("it ends, and the container", fate.into()),
            ("init ends, and a third such process", end.into()),
        ],
    )
}

/// Starts `cat -` in the container, and waits until it answers.
fn exec(runtime: &Runtime, dir: &Path) -> Result<(Held, Pid)> {
    let file = dir.join("second");
    let name = file.to_str().context("a path in UTF-8")?;
    let args = ["--detach", "--pid-file", name];
    let mut held = Held::spawn(runtime.command("exec", &args).args(CAT))?;
    // The pid file is there when the runtime is gone, and not before.
    held.wait()?;
    held.answers("ready")?;
    let pid = fs::read_to_string(&file)?;
    Ok((held, Pid::from_raw(pid.trim().parse()?)))
}

/// Reads it in the /proc of its own namespace, through its root.
fn parent_as_it_sees_it(pid: Pid) -> Result<String> {
    let inside = super::proc::pid_inside(pid).context("it is held")?;
    let file = format!("/proc/{pid}/root/proc/{inside}/status");
    let text = fs::read_to_string(&file).context(file)?;
    let line = text.lines().find_map(|line| line.strip_prefix("PPid:"));
    Ok(line.context("a process has a parent")?.trim().to_owned())
}
