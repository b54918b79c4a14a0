//! The kinds of system calls that one kernel takes: a 64-bit one also runs
//! programs of 32 bits, whose calls have other numbers. A filter that forgot
//! them would be a door beside the gate.

use oci_spec::runtime::Arch;
use std::str::FromStr;
use syscalls::{aarch64, arm, x86, x86_64};

/// How programs of one kind call the kernel.
#[derive(Debug)]
pub(crate) struct Abi {
    pub(crate) arch: Arch,
    /// What the kernel calls it when it asks the filter: an `AUDIT_ARCH_`.
    pub(crate) audit: u32,
    /// Its numbers begin here.
    pub(crate) first: u32,
    /// And end here.
    pub(crate) last: u32,
    /// Arguments have 64 bits.
    pub(crate) wide: bool,
    /// A call's number, if it has this call.
    pub(crate) number: fn(&str) -> Option<u32>,
}

const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
const AUDIT_ARCH_I386: u32 = 0x4000_0003;
const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;
const AUDIT_ARCH_ARM: u32 = 0x4000_0028;

/// Programs of 32-bit pointers in 64-bit mode say so by this bit of the number.
const X32_SYSCALL_BIT: u32 = 0x4000_0000;

use Arch::*;
#[rustfmt::skip]
const ALL: [Abi; 5] = [
    abi(ScmpArchX86_64,  (AUDIT_ARCH_X86_64,  0, X32_SYSCALL_BIT - 1), true,  number::<x86_64::Sysno>),
    abi(ScmpArchX32,     (AUDIT_ARCH_X86_64,  X32_SYSCALL_BIT, MAX),   false, x32_number),
    abi(ScmpArchX86,     (AUDIT_ARCH_I386,    0, MAX),                 false, number::<x86::Sysno>),
    abi(ScmpArchAarch64, (AUDIT_ARCH_AARCH64, 0, MAX),                 true,  number::<aarch64::Sysno>),
    abi(ScmpArchArm,     (AUDIT_ARCH_ARM,     0, MAX),                 false, number::<arm::Sysno>),
];
const MAX: u32 = u32::MAX;

const NATIVE: Arch = if cfg!(target_arch = "aarch64") {
    ScmpArchAarch64
} else {
    ScmpArchX86_64
};

const fn abi(
    arch: Arch,
    (audit, first, last): (u32, u32, u32),
    wide: bool,
    number: fn(&str) -> Option<u32>,
) -> Abi {
    Abi { arch, audit, first, last, wide, number }
}

/// The ones that are asked for, and always the machine's own. Others need no
/// rules: no call of theirs ever reaches this kernel.
pub(crate) fn of(asked_for: &[Arch]) -> impl Iterator<Item = &'static Abi> {
    static TABLE: [Abi; 5] = ALL;
    TABLE
        .iter()
        .filter(move |abi| abi.arch == NATIVE || asked_for.contains(&abi.arch))
}

/// The words for those that can be asked for.
pub(crate) fn names() -> impl Iterator<Item = String> {
    ALL.into_iter().map(|abi| abi.arch.to_string())
}

fn number<T: FromStr + Number>(name: &str) -> Option<u32> {
    name.parse().ok().map(T::number)
}

/// The four tables are four types.
trait Number {
    fn number(self) -> u32;
}

macro_rules! number {
    ($($table:ident)*) => {$(
        impl Number for $table::Sysno {
            fn number(self) -> u32 {
                self.id() as u32
            }
        }
    )*};
}
number!(aarch64 arm x86 x86_64);

/// Calls that pass structures with pointers have numbers of their own.
///
/// Source: asm/unistd_x32.h
fn x32_number(name: &str) -> Option<u32> {
    let own = X32_OWN.iter().position(|own| *own == name);
    match own {
        Some(index) => Some(X32_SYSCALL_BIT + 512 + index as u32),
        None => number::<x86_64::Sysno>(name).map(|n| X32_SYSCALL_BIT + n),
    }
}

/// From number 512 on.
#[rustfmt::skip]
const X32_OWN: [&str; 36] = [
    "rt_sigaction", "rt_sigreturn", "ioctl", "readv", "writev", "recvfrom",
    "sendmsg", "recvmsg", "execve", "ptrace", "rt_sigpending",
    "rt_sigtimedwait", "rt_sigqueueinfo", "sigaltstack", "timer_create",
    "mq_notify", "kexec_load", "waitid", "set_robust_list", "get_robust_list",
    "vmsplice", "move_pages", "preadv", "pwritev", "rt_tgsigqueueinfo",
    "recvmmsg", "sendmmsg", "process_vm_readv", "process_vm_writev",
    "setsockopt", "getsockopt", "io_setup", "io_submit", "execveat", "preadv2",
    "pwritev2",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_numbers() {
        let numbers = |name: &str| ALL.map(|abi| (abi.number)(name));
        let x32 = |n| Some(X32_SYSCALL_BIT + n);
        assert_eq!(
            numbers("mkdir"),
            [Some(83), x32(83), Some(39), None, Some(39)]
        );
        assert_eq!(
            numbers("execve"),
            [Some(59), x32(520), Some(11), Some(221), Some(11)]
        );
        assert_eq!(numbers("pwritev2")[1], x32(547));
        assert_eq!(numbers("frobnicate"), [None; 5]);
    }

    #[test]
    fn the_machines_own_is_always_among_them() {
        let archs =
            |asked: &[Arch]| of(asked).map(|a| a.arch).collect::<Vec<_>>();
        assert_eq!(archs(&[]), [NATIVE]);
        assert!(archs(&[ScmpArchX86]).contains(&ScmpArchX86));
    }
}
