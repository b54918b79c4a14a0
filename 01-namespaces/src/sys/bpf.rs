//! eBPF programs, loaded and attached to a cgroup: on cgroup v2 the only way to
//! say which devices may be opened.
#![allow(unsafe_code)]

use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The argument of bpf(2) for `BPF_PROG_LOAD`; the rest is for logs, not used.
#[repr(C)]
struct BpfProgLoad {
    kind_and_length: [u32; 2],
    program: u64,
    license_and_rest: [u64; 4],
}

/// Loads an eBPF program of this kind (`BPF_PROG_TYPE_`), instructions of 8
/// bytes each.
///
/// # Errors
/// EPERM: no CAP_BPF and CAP_NET_ADMIN; before "Linux 5.8 (2020-08)", no
/// CAP_SYS_ADMIN. EACCES: the verifier refuses the program. EINVAL: it is none.
///
/// Source: bpf(2), `BPF_PROG_LOAD`
pub fn bpf_prog_load(kind: u32, program: &[u64]) -> nix::Result<OwnedFd> {
    const BPF_PROG_LOAD: i32 = 5;
    let attr = BpfProgLoad {
        kind_and_length: [kind, program.len() as u32],
        program: program.as_ptr() as u64,
        license_and_rest: [c"".as_ptr() as u64, 0, 0, 0],
    };
    let (call, size) = (libc::SYS_bpf, size_of_val(&attr));
    // SAFETY: the kernel reads `size` bytes, that many instructions of 8 bytes
    // and the license, which all outlive the call.
    let fd = unsafe { libc::syscall(call, BPF_PROG_LOAD, &attr, size) };
    // SAFETY: on success a new descriptor (close-on-exec) that nobody owns.
    Errno::result(fd).map(|fd| unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Lets a program decide at a hook (`BPF_CGROUP_`) of a cgroup, beside those
/// that are there.
///
/// # Errors
/// EPERM: not the right to, or a program above allows none beside it. EINVAL:
/// the hook is not for this kind of program.
///
/// Source: bpf(2), `BPF_PROG_ATTACH`; `BPF_F_ALLOW_MULTI`, "Linux 4.15
/// (2018-01)"
pub fn bpf_prog_attach(
    cgroup: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    hook: u32,
) -> nix::Result<()> {
    const BPF_PROG_ATTACH: i32 = 8;
    const BPF_F_ALLOW_MULTI: u32 = 2;
    let (target, program) = (cgroup.as_raw_fd(), program.as_raw_fd());
    let attr = [target as u32, program as u32, hook, BPF_F_ALLOW_MULTI];
    let (call, size) = (libc::SYS_bpf, size_of_val(&attr));
    // SAFETY: the kernel reads four integers, which outlive the call.
    let done = unsafe { libc::syscall(call, BPF_PROG_ATTACH, &attr, size) };
    Errno::result(done).map(drop)
}
