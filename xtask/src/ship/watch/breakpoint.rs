//! Breakpoints in the memory of a process that stands: an instruction that
//! stops it, in the place of the first byte of a function.
//!
//! A forked child has them too. A process without its parent's memory has its
//! own: what is removed in one stays in the others.

use anyhow::{Context, Result};
use nix::unistd::Pid;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Whether we know this processor's instruction and registers.
pub(in super::super) const IS_POSSIBLE: bool = cfg!(target_arch = "x86_64");

/// `int3`
const INT3: u8 = 0xcc;

/// Puts a breakpoint at each of these addresses.
pub(super) fn set(
    pid: Pid,
    mut addresses: impl Iterator<Item = u64>,
) -> Result<()> {
    let memory = memory(pid)?;
    addresses.try_for_each(|address| write(&memory, address, INT3))
}

/// Puts back what was there, and lets the process run it.
pub(super) fn remove(pid: Pid, address: u64, first_byte: u8) -> Result<()> {
    // Another process with the same memory may have done so already.
    write(&memory(pid)?, address, first_byte)?;
    registers::step_back(pid)
}

/// Where the breakpoint is at which the process stands, if it does so at one.
pub(super) fn address(pid: Pid) -> Result<u64> {
    registers::before(pid)
}

/// For a tracer this file is writable where the process itself may only read.
/// It means the memory that the process had when it was opened: not that after
/// an execve(2).
fn memory(pid: Pid) -> Result<File> {
    let file = format!("/proc/{pid}/mem");
    File::options().write(true).open(&file).context(file)
}

fn write(memory: &File, address: u64, byte: u8) -> Result<()> {
    memory
        .write_all_at(&[byte], address)
        .with_context(|| format!("pwrite(mem, .., {address:#x})"))
}

#[cfg(target_arch = "x86_64")]
mod registers {
    use anyhow::{Context, Result};
    use nix::sys::ptrace::{getregs, setregs};
    use nix::unistd::Pid;

    /// The address of the `int3` that has been executed: one byte.
    pub(super) fn before(pid: Pid) -> Result<u64> {
        let registers = getregs(pid).context("PTRACE_GETREGS")?;
        Ok(registers.rip.wrapping_sub(1))
    }

    pub(super) fn step_back(pid: Pid) -> Result<()> {
        let mut registers = getregs(pid).context("PTRACE_GETREGS")?;
        registers.rip -= 1;
        setregs(pid, registers).context("PTRACE_SETREGS")
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod registers {
    use anyhow::{Result, bail};
    use nix::unistd::Pid;

    pub(super) fn before(_: Pid) -> Result<u64> {
        bail!("breakpoints are known on x86_64 only")
    }

    pub(super) fn step_back(pid: Pid) -> Result<()> {
        before(pid).map(drop)
    }
}
