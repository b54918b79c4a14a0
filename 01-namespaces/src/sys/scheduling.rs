//! When and where a process gets processors, disks and memory: calls that
//! neither library wraps.
#![allow(unsafe_code)]

use nix::errno::Errno;

/// The argument of sched_setattr(2), its second version: 56 bytes.
///
/// Source: sched_setattr(2), `struct sched_attr`
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct SchedAttr {
    /// The size of the structure, which tells the kernel its version.
    pub size: u32,
    /// One of the `SCHED_` policies.
    pub policy: u32,
    /// `SCHED_FLAG_` bits.
    pub flags: u64,
    /// For the policies of ordinary processes.
    pub nice: i32,
    /// For the real-time policies.
    pub priority: u32,
    /// Nanoseconds, for `SCHED_DEADLINE`, as the two that follow.
    pub runtime: u64,
    /// Nanoseconds.
    pub deadline: u64,
    /// Nanoseconds.
    pub period: u64,
    /// Smallest and largest use of the processor to count with.
    pub util: [u32; 2],
}

/// Sets how the caller is scheduled.
///
/// # Errors
/// EPERM: no CAP_SYS_NICE, or no real time for its cgroup. EINVAL: no such
/// policy, or values that do not belong to it. EBUSY: deadlines that the
/// processors cannot keep.
///
/// Sets the policy by which the calling thread is scheduled.
///
/// # Errors
/// EPERM: not with our rights. EINVAL: no such policy, or a value that it does
/// not take. EBUSY: the deadlines cannot all be met.
///
/// Source: sched_setattr(2), "Linux 3.14 (2014-03)"
pub fn sched_setattr(attr: &SchedAttr) -> nix::Result<()> {
    let attr = SchedAttr { size: size_of::<SchedAttr>() as u32, ..*attr };
    let call = libc::SYS_sched_setattr;
    // SAFETY: the kernel reads `size` bytes of a structure that outlives the
    // call; pid 0 is the calling thread, and there are no flags.
    let done = unsafe { libc::syscall(call, 0, &raw const attr, 0) };
    Errno::result(done).map(drop)
}

/// Sets the priority for every process of the caller's process group.
///
/// # Errors
/// EPERM: the class needs CAP_SYS_ADMIN or CAP_SYS_NICE. EINVAL: no such class
/// or level.
///
/// # Errors
/// EPERM: real time, without CAP_SYS_ADMIN or CAP_SYS_NICE. EINVAL: no such
/// class.
///
/// Source: ioprio_set(2), `IOPRIO_WHO_PGRP`, "Linux 2.6.13 (2005-08)"
pub fn ioprio_set(priority: i32) -> nix::Result<()> {
    const IOPRIO_WHO_PGRP: i32 = 2;
    let call = libc::SYS_ioprio_set;
    // SAFETY: three integers; 0 is the caller's own group.
    let done = unsafe { libc::syscall(call, IOPRIO_WHO_PGRP, 0, priority) };
    Errno::result(done).map(drop)
}

/// Sets from which nodes the caller's memory comes.
///
/// # Errors
/// EINVAL: no such mode, nodes that are not there, or none where there have to
/// be some. ENOSYS: a kernel without memory nodes.
///
/// Says on which memory nodes the calling thread allocates: `MPOL_`, and a bit
/// for each node.
///
/// # Errors
/// EINVAL: a mode that this kernel does not know, or nodes that do not go with
/// it.
///
/// Source: set_mempolicy(2), "Linux 2.6.7 (2004-06)"
pub fn set_mempolicy(mode: i32, nodes: &[u64]) -> nix::Result<()> {
    let call = libc::SYS_set_mempolicy;
    // One bit more than there is: the kernel takes one off.
    let bits = nodes.len() * 64 + 1;
    // SAFETY: the kernel reads `bits` - 1 bits of a slice that outlives the
    // call.
    let done = unsafe { libc::syscall(call, mode, nodes.as_ptr(), bits) };
    Errno::result(done).map(drop)
}
