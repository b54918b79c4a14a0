//! One more process for a container that runs: what a health check costs, and
//! the first prompt of a shell.

use super::command::{read_pid, reap, timed, weighed};
use crate::bench::contender::{Contender, entered};
use crate::bundle::Bundles;
use crate::root::succeed;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// `exec` in a container of the contender's own.
pub(in crate::bench) struct Exec {
    scratch: PathBuf,
    hosts: Vec<Host>,
}

/// A container that runs.
struct Host {
    pid: i32,
    /// What ends it.
    delete: Command,
}

impl Exec {
    /// Starts a container for each contender.
    pub(super) fn new(
        bundles: &Bundles,
        contenders: &[Contender],
    ) -> Result<Exec> {
        let mut exec = Exec { scratch: bundles.waiting(), hosts: vec![] };
        for contender in contenders {
            // The floor enters the first one's.
            let Some(run) = contender.verb("run") else { continue };
            let host = start(run, contender, &exec.scratch)?;
            exec.hosts.push(host);
        }
        Ok(exec)
    }

    fn command(&self, contender: &Contender) -> Result<Command> {
        let program = Path::new("/true");
        Ok(match contender.verb("exec") {
            Some(mut exec) => {
                exec.arg(id(contender)).arg(program);
                exec
            }
            None => {
                let host = self.hosts.first().context("no container runs")?;
                entered(host.pid, program)
            }
        })
    }

    pub(super) fn turn(&self, contender: &Contender) -> Result<Duration> {
        timed(self.command(contender)?)
    }

    pub(super) fn memory(&self, contender: &Contender) -> Result<Option<u64>> {
        weighed(&self.command(contender)?, &self.scratch).map(Some)
    }

    pub(super) fn clean_up(self) -> Result<()> {
        for Host { pid, delete } in self.hosts {
            timed(delete)?;
            reap(pid)?;
        }
        Ok(())
    }
}

fn start(
    mut run: Command,
    contender: &Contender,
    bundle: &Path,
) -> Result<Host> {
    let pid_file = bundle.join("pid");
    run.arg("--detach").arg("--bundle").arg(bundle);
    succeed(run.arg("--pid-file").arg(&pid_file).arg(id(contender)))?;
    let mut delete = contender.verb("delete").context("it runs containers")?;
    delete.arg("--force").arg(id(contender));
    Ok(Host { pid: read_pid(&pid_file)?, delete })
}

/// All of them live at the same time, and some call their cgroup by the id alone.
fn id(contender: &Contender) -> String {
    let name = contender.name.split(' ').next().unwrap_or_default();
    format!("bench-{name}")
}
