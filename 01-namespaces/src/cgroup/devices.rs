//! Which devices the processes of a cgroup may open and make. Cgroup v1 has a
//! controller with two files for that; v2 asks a BPF program, made here.

use super::{Cgroup, Version};
use crate::error::{InCall, Result, SyscallError};
use crate::sys;
use nix::errno::Errno;
use std::fmt;
use std::fs::File;
use std::os::fd::AsFd;

/// Allows or denies access to devices. In a list of them, the last one that
/// speaks of an access decides on it; without any, it is allowed.
///
/// Source: cgroup-v1/devices.rst; runtime-spec: config-linux.md, "Device
/// whitelist"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceRule {
    /// Or denied.
    pub allow: bool,
    /// `None`: both kinds.
    pub kind: Option<DeviceKind>,
    /// `None`: all.
    pub major: Option<u32>,
    /// `None`: all.
    pub minor: Option<u32>,
    /// Bits of [`MKNOD`], [`READ`] and [`WRITE`].
    pub access: u32,
}

/// The two kinds of devices; the numbers are those that the BPF program sees.
///
/// Source: linux/bpf.h, `BPF_DEVCG_DEV_BLOCK`, `BPF_DEVCG_DEV_CHAR`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// Block devices.
    Block = 1,
    /// Character devices.
    Char = 2,
}

/// Making the device's file.
pub const MKNOD: u32 = 1;
/// Opening it for reading.
pub const READ: u32 = 2;
/// Opening it for writing.
pub const WRITE: u32 = 4;

impl Cgroup {
    /// Sets the devices that its processes may use. No rules: no change.
    ///
    /// # Errors
    /// ENOENT: v1, and no devices controller is mounted. EPERM: not root of the
    /// first user namespace.
    ///
    /// Source: cgroup-v1/devices.rst; cgroup-v2.rst, "Device controller", Linux
    /// 4.15 (2018-01)
    pub fn set_devices(&self, rules: &[DeviceRule]) -> Result<()> {
        match self.version {
            _ if rules.is_empty() => Ok(()),
            Version::V1 => self.write_rules(rules),
            Version::V2 => self.attach(&program(rules)),
        }
    }

    fn write_rules(&self, rules: &[DeviceRule]) -> Result<()> {
        let open =
            |name| super::files::open_for_writing(&self.file("devices", name)?);
        let allow: File = open("devices.allow")?;
        let deny: File = open("devices.deny")?;
        for rule in rules {
            let file = if rule.allow { &allow } else { &deny };
            // One rule a write, as the kernel wants it.
            nix::unistd::write(file, rule.to_string().as_bytes())
                .in_call(|| format!("write(devices.{rule:?})"))?;
        }
        Ok(())
    }

    fn attach(&self, program: &[u64]) -> Result<()> {
        const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
        const BPF_CGROUP_DEVICE: u32 = 6;
        let program = sys::bpf_prog_load(BPF_PROG_TYPE_CGROUP_DEVICE, program)
            .in_call(|| "bpf(BPF_PROG_LOAD, {CGROUP_DEVICE})".into())
            .map_err(explain)?;
        let Some(dir) = self.dir_fd()? else { return Ok(()) };
        // The cgroup keeps the program from here on, and takes it along.
        sys::bpf_prog_attach(dir.as_fd(), program.as_fd(), BPF_CGROUP_DEVICE)
            .in_call(|| "bpf(BPF_PROG_ATTACH, {CGROUP_DEVICE})".into())
    }
}

fn explain(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EPERM => error.hint("only root may say which devices are used"),
        _ => error,
    }
}

impl fmt::Display for DeviceRule {
    /// Prints the rule as v1 reads it: `c 1:3 rwm`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            None => "a",
            Some(DeviceKind::Block) => "b",
            Some(DeviceKind::Char) => "c",
        };
        let number = |n: Option<u32>| n.map_or("*".into(), |n| n.to_string());
        let (major, minor) = (number(self.major), number(self.minor));
        write!(f, "{kind} {major}:{minor} ")?;
        let letters = [(READ, "r"), (WRITE, "w"), (MKNOD, "m")];
        letters
            .iter()
            .filter(|(bit, _)| self.access & bit != 0)
            .try_for_each(|(_, letter)| f.write_str(letter))
    }
}

/// What the program works with. The kernel gives it, in r1, three numbers: kind
/// and, shifted by 16, the wanted access; major; minor.
///
/// Source: bpf.h, `struct bpf_cgroup_dev_ctx`
const R0: u64 = 0;
const CONTEXT: u64 = 1;
const KIND: u64 = 2;
const WANTED: u64 = 3;
const MAJOR: u64 = 4;
const MINOR: u64 = 5;
const DENIED: u64 = 6;

/// Compiles the rules: from the last to the first, each that fits takes what it
/// allows out of what is wanted, or says no.
fn program(rules: &[DeviceRule]) -> Vec<u64> {
    let mut code = vec![
        load(KIND, CONTEXT, 0),
        load(MAJOR, CONTEXT, 4),
        load(MINOR, CONTEXT, 8),
        copy(WANTED, KIND),
        insn(SHIFT_RIGHT, WANTED, 0, 16),
        insn(AND, KIND, 0, 0xffff),
    ];
    rules.iter().rev().for_each(|rule| code.extend(rule.compile()));
    code.extend(answer(1));
    code
}

impl DeviceRule {
    fn compile(&self) -> Vec<u64> {
        let verdict = match self.allow {
            true => vec![
                insn(AND, WANTED, 0, !self.access),
                insn(JUMP_IF_NOT, WANTED, 2, 0),
            ],
            false => vec![
                copy(DENIED, WANTED),
                insn(AND, DENIED, 0, self.access),
                insn(JUMP_IF, DENIED, 2, 0),
            ],
        };
        let verdict = [verdict, answer(self.allow.into()).into()].concat();
        let tests = [
            (KIND, self.kind.map(|kind| kind as u32)),
            (MAJOR, self.major),
            (MINOR, self.minor),
        ];
        let tests = tests.into_iter().filter_map(|(r, n)| Some((r, n?)));
        let tests: Vec<_> = tests.collect();
        // A test that fails jumps over the other tests and the verdict.
        let past = |i| (tests.len() - 1 - i + verdict.len()) as u64;
        let jumps = tests.iter().enumerate();
        jumps
            .map(|(i, (r, n))| insn(JUMP_IF_NOT, *r, past(i), *n))
            .chain(verdict.iter().copied())
            .collect()
    }
}

/// Opcodes on 32 bits with a constant. Source: bpf-isa.rst
const AND: u64 = 0x54;
const SHIFT_RIGHT: u64 = 0x74;
const JUMP_IF: u64 = 0x16;
const JUMP_IF_NOT: u64 = 0x56;

/// Encodes an instruction: opcode, register, distance to jump, constant.
const fn insn(opcode: u64, register: u64, distance: u64, number: u32) -> u64 {
    opcode | register << 8 | distance << 16 | (number as u64) << 32
}

const fn load(to: u64, from: u64, offset: u64) -> u64 {
    insn(0x61, to | from << 4, offset, 0)
}

const fn copy(to: u64, from: u64) -> u64 {
    insn(0xbc, to | from << 4, 0, 0)
}

/// Ends with 1, allowed, or 0, denied.
const fn answer(allowed: u32) -> [u64; 2] {
    [insn(0xb4, R0, 0, allowed), insn(0x95, 0, 0, 0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY_ALL: DeviceRule = DeviceRule {
        allow: false,
        kind: None,
        major: None,
        minor: None,
        access: MKNOD | READ | WRITE,
    };
    const NULL: DeviceRule = DeviceRule {
        allow: true,
        kind: Some(DeviceKind::Char),
        major: Some(1),
        minor: Some(3),
        access: READ | WRITE,
    };

    #[test]
    fn a_rule_reads_as_v1_reads_it() {
        assert_eq!(DENY_ALL.to_string(), "a *:* rwm");
        assert_eq!(NULL.to_string(), "c 1:3 rw");
    }

    #[test]
    fn a_failed_test_jumps_to_the_next_rule() {
        let code = NULL.compile();
        // Three tests, two instructions of the verdict, two of the answer.
        assert_eq!(code.len(), 7);
        let jumps: Vec<_> =
            code[..3].iter().map(|i| i >> 16 & 0xffff).collect();
        assert_eq!(jumps, [6, 5, 4]);
    }
}
