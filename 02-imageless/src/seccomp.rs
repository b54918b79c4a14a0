//! Which system calls a container may make: `linux.seccomp`, compiled to a
//! program of classic BPF. Compiled here and not by libseccomp, which would be
//! the only C library of the workspace, and hide what it takes to isolate.

mod abi;
mod condition;
mod program;
mod rules;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result, bail};
use namespaces::seccomp;
use nix::libc;
use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompFilterFlag};
use rules::Rules;
use serde::{Deserialize, Serialize};

pub(crate) use abi::names as architectures;

/// A filter, ready for the kernel; kept with the container, for `exec`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Filter {
    flags: u32,
    program: Vec<u64>,
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
        let flags = seccomp.flags().iter().flatten();
        Ok(Self { flags: flags.fold(0, |all, f| all | bit(*f)), program })
    }

    /// Filters this process from now on.
    ///
    /// # Errors
    /// See [`seccomp::set_filter`].
    pub(crate) fn load(&self) -> Result<()> {
        seccomp::set_filter(self.flags, &self.program)
            .context("config.json: linux.seccomp")
    }
}

fn bit(flag: LinuxSeccompFilterFlag) -> u32 {
    use LinuxSeccompFilterFlag::*;
    let bit = match flag {
        SeccompFilterFlagTsync => libc::SECCOMP_FILTER_FLAG_TSYNC,
        SeccompFilterFlagLog => libc::SECCOMP_FILTER_FLAG_LOG,
        SeccompFilterFlagSpecAllow => libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW,
        // It is about a listener, and the kernel refuses it without one.
        SeccompFilterFlagWaitKillableRecv => 0,
    };
    bit as u32
}
