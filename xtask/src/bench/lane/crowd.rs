//! Many containers at once: what a machine sees that starts. The kernel has
//! locks for all of them together, so this is not a hundred times one.

use super::command::{read_pid, reap};
use crate::bench::contender::{Contender, unshared};
use crate::bundle::Bundles;
use crate::root::shown;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How many.
const SIZE: usize = 100;

/// `create` of all, then `start` of all, then `delete` of all.
pub(in crate::bench) struct Crowd {
    bundle: PathBuf,
}

impl Crowd {
    pub(super) fn new(bundles: &Bundles) -> Crowd {
        Crowd { bundle: bundles.default() }
    }

    pub(super) fn turn(&self, contender: &Contender) -> Result<Duration> {
        Ok(self.live(contender)?.0)
    }

    /// What the processes of all containers hold while they wait for `start`:
    /// with everything shared divided among those who share it.
    pub(super) fn memory(&self, contender: &Contender) -> Result<Option<u64>> {
        Ok(self.live(contender)?.1)
    }

    fn live(&self, contender: &Contender) -> Result<(Duration, Option<u64>)> {
        let begin = Instant::now();
        let created = at_once(|i| self.create(contender, i))?;
        if !created {
            at_once(|_| Some(unshared(&self.bundle.join("rootfs/true"))))?;
            return Ok((begin.elapsed(), None));
        }
        let pause = Instant::now();
        let pids = (0..SIZE).map(|i| read_pid(&self.pid_file(i)));
        let pids = pids.collect::<Result<Vec<_>>>()?;
        let held = pids.iter().map(|pid| share_of(*pid)).sum::<Result<_>>()?;
        let paused = pause.elapsed();
        at_once(|i| called(contender, "start", i))?;
        pids.into_iter().try_for_each(reap)?;
        at_once(|i| called(contender, "delete", i))?;
        Ok((begin.elapsed() - paused, Some(held)))
    }

    fn create(&self, contender: &Contender, i: usize) -> Option<Command> {
        let mut create = contender.verb("create")?;
        create.arg("--bundle").arg(&self.bundle);
        create.arg("--pid-file").arg(self.pid_file(i)).arg(id(i));
        Some(create)
    }

    fn pid_file(&self, i: usize) -> PathBuf {
        self.bundle.join(format!("pid-{i}"))
    }
}

fn id(i: usize) -> String {
    format!("bench-{i}")
}

fn called(contender: &Contender, verb: &str, i: usize) -> Option<Command> {
    let mut command = contender.verb(verb)?;
    command.arg(id(i));
    Some(command)
}

/// Starts all of them, then waits for all; `false`: there are none.
fn at_once(command: impl Fn(usize) -> Option<Command>) -> Result<bool> {
    let commands: Vec<Command> = (0..SIZE).filter_map(command).collect();
    let there_are_some = !commands.is_empty();
    let spawn = |mut command: Command| -> Result<(Child, Command)> {
        let child = command.spawn().with_context(|| shown(&command))?;
        Ok((child, command))
    };
    let children: Vec<_> = commands.into_iter().map(spawn).collect();
    for child in children {
        let (mut child, command) = child?;
        let status = child.wait().with_context(|| shown(&command))?;
        if !status.success() {
            bail!("{}: {status}", shown(&command));
        }
    }
    Ok(there_are_some)
}

/// The proportional set size of a process: kibibytes.
///
/// Source: proc_pid_smaps(5)
fn share_of(pid: i32) -> Result<u64> {
    let file = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&file).with_context(|| file.clone())?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).context(file)
}
