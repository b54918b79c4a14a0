//! Watches which functions a program calls: in a copy of it in memory each
//! function begins with a breakpoint, and the first call of each tells of it.
//!
//! No sampling, because what runs once in a microsecond is mapped as well; and
//! no single steps, which are millions. The tracer is one thread, and ptrace(2)
//! knows threads: all of this happens in the one that asks.
//!
//! Source: ptrace(2)

mod breakpoint;
#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests;
mod tracee;

use super::functions::Functions;
use super::watchdog::Watchdog;
use crate::root::shown;
use anyhow::{Context, Result, bail};
pub(super) use breakpoint::IS_POSSIBLE;
use nix::sys::ptrace::{self, Event};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tracee::Tracee;

/// How long one command may take: each stops a few thousand times.
const LIMIT: Duration = Duration::from_secs(60);

/// A program that is watched, in every process that executes it.
pub(super) struct Watch {
    program: PathBuf,
    functions: Functions,
    /// The functions that the present command has called.
    called: BTreeSet<u64>,
    /// Who has ended; a later command may ask for it.
    ended: BTreeMap<Pid, WaitStatus>,
}

impl Watch {
    /// Will watch this program, which has to have its symbols.
    ///
    /// # Errors
    /// Those of [`Functions::read`].
    pub(super) fn new(program: &Path) -> Result<Watch> {
        Ok(Watch {
            program: program.to_owned(),
            functions: Functions::read(program)?,
            called: BTreeSet::new(),
            ended: BTreeMap::new(),
        })
    }

    /// Runs a command to its end, which has to be a success; tells the names of
    /// all functions that the program called meanwhile, in any process.
    ///
    /// # Errors
    /// The command fails, or takes longer than [`LIMIT`].
    pub(super) fn run(
        &mut self,
        command: &Command,
    ) -> Result<BTreeSet<String>> {
        self.called.clear();
        let tracee = Tracee::start(command)?;
        // Of an earlier process with its number nobody asks anymore.
        self.ended.remove(&tracee.pid());
        match self.wait_for(tracee.pid()).with_context(|| shown(command))? {
            WaitStatus::Exited(_, 0) => Ok(self.names()),
            WaitStatus::Exited(_, code) => {
                bail!("{}: exit status {code}", shown(command))
            }
            WaitStatus::Signaled(_, signal, _) => {
                bail!("{}: killed by {signal}", shown(command))
            }
            other => bail!("{}: {other:?}", shown(command)),
        }
    }

    /// Waits for the end of a process, and lets all the others go on meanwhile.
    ///
    /// # Errors
    /// It is none of those that are watched, nor a child of ours.
    pub(super) fn wait_for(&mut self, pid: Pid) -> Result<WaitStatus> {
        let handle = match self.ended.remove(&pid) {
            Some(status) => return Ok(status),
            None => tracee::handle(pid)?,
        };
        let _watchdog = Watchdog::over(handle, LIMIT);
        loop {
            self.handle_event()?;
            if let Some(status) = self.ended.remove(&pid) {
                return Ok(status);
            }
        }
    }

    fn names(&self) -> BTreeSet<String> {
        let functions =
            self.called.iter().filter_map(|at| self.functions.at(*at));
        functions.flat_map(|function| function.names.clone()).collect()
    }

    fn handle_event(&mut self) -> Result<()> {
        // A test has other threads with other children.
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let status = waitpid(None, Some(flags)).context("waitpid(-1)")?;
        let Some(pid) = status.pid() else { return Ok(()) };
        match self.answer(pid, status) {
            // Killed while it stood: its end is the next event.
            Err(_) if !tracee::stands(pid) => Ok(()),
            result => result,
        }
    }

    fn answer(&mut self, pid: Pid, status: WaitStatus) -> Result<()> {
        const EXEC: i32 = Event::PTRACE_EVENT_EXEC as i32;
        match status {
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {
                self.ended.insert(pid, status);
                Ok(())
            }
            WaitStatus::PtraceEvent(_, _, EXEC) => self.executed(pid),
            // Somebody is new. Or all of a process stops: that is not among
            // what we train, and it goes on.
            WaitStatus::PtraceEvent(..) => tracee::go_on(pid, None),
            WaitStatus::Stopped(_, Signal::SIGTRAP) if self.hit(pid)? => {
                tracee::go_on(pid, None)
            }
            WaitStatus::Stopped(_, signal) => tracee::go_on(pid, Some(signal)),
            WaitStatus::PtraceSyscall(_)
            | WaitStatus::Continued(_)
            | WaitStatus::StillAlive => Ok(()),
        }
    }

    /// A process has become a program: ours, to be watched, or another, which
    /// is none of our business.
    fn executed(&self, pid: Pid) -> Result<()> {
        if !tracee::executes(pid, &self.program)? {
            return ptrace::detach(pid, None).context("PTRACE_DETACH");
        }
        breakpoint::set(pid, self.functions.addresses())?;
        tracee::go_on(pid, None)
    }

    /// Takes note of a call, and lets the process go on as if nothing was
    /// there. `false`: it stopped for another reason.
    // ANCHOR: hit
    fn hit(&mut self, pid: Pid) -> Result<bool> {
        let address = breakpoint::address(pid)?;
        let Some(function) = self.functions.at(address) else {
            return Ok(false);
        };
        breakpoint::remove(pid, address, function.first_byte)?;
        self.called.insert(address);
        Ok(true)
    }
    // ANCHOR_END: hit
}
