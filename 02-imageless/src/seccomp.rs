//! Which system calls a container may make: `linux.seccomp`, compiled to a
//! program of classic BPF. Compiled here and not by libseccomp, which would be
//! the only C library of the workspace, and hide what it takes to isolate.

mod abi;
mod condition;
mod listener;
mod program;
mod rules;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result, bail};
use listener::Listener;
use namespaces::seccomp;
use nix::libc;
use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompFilterFlag};
use rules::Rules;
use serde::{Deserialize, Serialize};

pub(crate) use abi::names as architectures;
pub(crate) use listener::{Agent, Introduction};

/// A filter, ready for the kernel; kept with the container, for `exec`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Filter {
    flags: u32,
    program: Vec<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listener: Option<Listener>,
}

/// The most instructions that the kernel takes.
const BPF_MAXINSNS: usize = 4096;

impl Filter {
    /// Compiles the configuration's rules.
    ///
    /// # Errors
    /// Names the field.
    ///
    /// Source: runtime-spec: config-linux.md, "Seccomp"
    pub(crate) fn plan(seccomp: &LinuxSeccomp) -> Result<Self> {
        Self::compile(seccomp).context("config.json: linux.seccomp")
    }

    fn compile(seccomp: &LinuxSeccomp) -> Result<Self> {
        let rules = Rules::new(seccomp)?;
        let asked_for = seccomp.architectures().as_deref().unwrap_or_default();
        let abis: Vec<_> = abi::of(asked_for).collect();
        let groups: Vec<_> = abis
            .chunk_by(|a, b| a.audit == b.audit)
            .map(|abis| rules.group(abis))
            .collect();
        let program = program::compile(&groups);
        if program.len() > BPF_MAXINSNS {
            bail!(
                "syscalls: {} instructions, and the kernel takes \
                 {BPF_MAXINSNS}",
                program.len()
            );
        }
        let listener = Listener::plan(seccomp)?;
        let flags = seccomp.flags().iter().flatten();
        let flags = flags.fold(0, |all, flag| all | bit(*flag));
        Ok(Self {
            flags: flags_with(flags, listener.is_some()),
            program,
            listener,
        })
    }

    /// Tells whether an agent decides some calls.
    pub(crate) fn asks(&self) -> bool {
        self.listener.is_some()
    }

    /// Connects to that agent.
    ///
    /// # Errors
    /// See [`Listener::connect`].
    pub(crate) fn agent(&self) -> Result<Option<Agent>> {
        self.listener.as_ref().map(Listener::connect).transpose()
    }

    /// Filters this process from now on. If calls are to be decided by an agent,
    /// it is introduced at once.
    ///
    /// # Errors
    /// See [`seccomp::set_filter`] and [`Introduction::send`].
    pub(crate) fn load(&self, agent: Option<Introduction>) -> Result<()> {
        let listener = seccomp::set_filter(self.flags, &self.program)
            .context("config.json: linux.seccomp")?;
        match (agent, listener) {
            (Some(agent), Some(listener)) => agent.send(&listener),
            _ => Ok(()),
        }
    }
}

/// What only makes sense with a listener, or only without, is refused by the
/// kernel there. We are one thread: there is nothing to bring in line.
fn flags_with(flags: u32, listens: bool) -> u32 {
    let tsync = libc::SECCOMP_FILTER_FLAG_TSYNC as u32;
    let killable = libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV as u32;
    match listens {
        true => {
            (flags & !tsync) | libc::SECCOMP_FILTER_FLAG_NEW_LISTENER as u32
        }
        false => flags & !killable,
    }
}

fn bit(flag: LinuxSeccompFilterFlag) -> u32 {
    use LinuxSeccompFilterFlag::*;
    let bit = match flag {
        SeccompFilterFlagTsync => libc::SECCOMP_FILTER_FLAG_TSYNC,
        SeccompFilterFlagLog => libc::SECCOMP_FILTER_FLAG_LOG,
        SeccompFilterFlagSpecAllow => libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW,
        SeccompFilterFlagWaitKillableRecv => {
            libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
        }
    };
    bit as u32
}
