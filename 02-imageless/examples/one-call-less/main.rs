//! Runs a command that may make every system call but one.
//! Run: `sudo target/debug/examples/one-call-less NUMBER COMMAND..`

use anyhow::{Result, bail};
use namespaces::seccomp::set_filter;
use nix::libc::{
    BPF_ABS, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, EPERM,
    SECCOMP_RET_ALLOW as ALLOW, SECCOMP_RET_ERRNO as ERRNO,
    SECCOMP_RET_KILL_PROCESS as KILL,
};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// `AUDIT_ARCH_` of this machine, from linux/audit.h.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

fn main() -> Result<()> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [number, program, args @ ..] = argv.as_slice() else {
        bail!("usage: one-call-less NUMBER COMMAND..");
    };
    set_filter(0, &filter(number.parse()?))?;
    Err(Command::new(program).args(args).exec().into())
}

/// The program that the kernel runs before each system call.
fn filter(number: u32) -> Vec<u64> {
    vec![
        // EXERCISE 02.13 begin
        // STARTER: give(ALLOW),
        load(4),
        equal(ARCHITECTURE, 1, 0),
        give(KILL),
        load(0),
        equal(number, 0, 1),
        give(ERRNO | EPERM as u32),
        give(ALLOW),
        // EXERCISE 02.13 end
    ]
}

/// Loads the 32 bits at this place of `struct seccomp_data`.
fn load(place: u32) -> u64 {
    instruction(BPF_LD | BPF_W | BPF_ABS, [0, 0], place)
}

/// Jumps over so many instructions if what was loaded is this, or is not.
fn equal(value: u32, yes: u8, no: u8) -> u64 {
    instruction(BPF_JMP | BPF_JEQ | BPF_K, [yes, no], value)
}

/// Ends with this answer.
fn give(answer: u32) -> u64 {
    instruction(BPF_RET | BPF_K, [0, 0], answer)
}

/// Source: linux/filter.h, struct sock_filter
fn instruction(code: u32, [yes, no]: [u8; 2], value: u32) -> u64 {
    let [c0, c1] = (code as u16).to_ne_bytes();
    let [v0, v1, v2, v3] = value.to_ne_bytes();
    u64::from_ne_bytes([c0, c1, yes, no, v0, v1, v2, v3])
}
