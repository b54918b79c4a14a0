//! When and where a process runs: its turn on the processors and the disks, and
//! the processors and memory nodes that it is tied to. Inherited by all that
//! comes from it; a cgroup sets the frame, these choose within it.

use crate::cgroup::NumberList;
use crate::error::{InCall, Result, SyscallError};
use crate::sys;
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

pub use crate::sys::SchedAttr;

/// Sets the policy by which the calling process gets processors.
///
/// # Errors
/// EPERM: not with our rights, or on cgroup v1 with RT_GROUP_SCHED, not in this
/// cgroup. EINVAL: no such policy, or a value that it does not take. EBUSY: the
/// deadlines cannot all be met.
///
/// Source: sched_setattr(2), "Linux 3.14 (2014-03)"
pub fn set_scheduler(attr: &SchedAttr) -> Result<()> {
    let SchedAttr { policy, nice, priority, .. } = attr;
    let call = || {
        format!("sched_setattr(0, {{{policy}, nice {nice}, {priority}, ..}})")
    };
    sys::sched_setattr(attr).in_call(call).map_err(explain_scheduler)
}

fn explain_scheduler(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EPERM => error.hint(
            "to ask for more than others get needs CAP_SYS_NICE on the host, \
             and in a cgroup of v1 a share in cpu.rt_runtime_us",
        ),
        _ => error,
    }
}

/// Which requests to a disk go first.
///
/// Source: ioprio_set(2), `IOPRIO_CLASS_RT` and others
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IoClass {
    /// Before all others.
    RealTime = 1,
    /// Where everybody is.
    BestEffort = 2,
    /// When nobody else wants the disk.
    Idle = 3,
}

/// Sets the class, and the level in it from 0 (first) to 7, for every process of
/// the caller's process group.
///
/// # Errors
/// EPERM: real time, without CAP_SYS_ADMIN or CAP_SYS_NICE.
///
/// Source: ioprio_set(2), "Linux 2.6.13 (2005-08)"
pub fn set_io_priority(class: IoClass, level: u8) -> Result<()> {
    const CLASS_SHIFT: i32 = 13;
    let priority = (class as i32) << CLASS_SHIFT | i32::from(level);
    sys::ioprio_set(priority).in_call(|| {
        format!("ioprio_set(IOPRIO_WHO_PGRP, 0, {class:?} {level})")
    })
}

/// Ties the calling process to these processors.
///
/// # Errors
/// EINVAL: none of them is there, or the cgroup allows none of them.
///
/// Source: sched_setaffinity(2)
pub fn set_affinity(cpus: &NumberList) -> Result<()> {
    let call = || format!("sched_setaffinity(0, [{cpus}])");
    let mut set = CpuSet::new();
    cpus.numbers()
        .try_for_each(|cpu| set.set(cpu as usize))
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .in_call(call)
}

/// Sets the memory nodes from which the calling process gets its pages: a mode
/// with its flags, `MPOL_`, and the nodes.
///
/// # Errors
/// EINVAL: a mode that this kernel does not know, nodes for one that takes
/// none, none for one that needs some, or none that the cgroup allows.
///
/// Source: set_mempolicy(2)
pub fn set_memory_policy(mode: i32, nodes: &NumberList) -> Result<()> {
    let mut mask = Vec::new();
    for node in nodes.numbers() {
        let word = node as usize / 64;
        mask.resize(mask.len().max(word + 1), 0_u64);
        mask[word] |= 1 << (node % 64);
    }
    sys::set_mempolicy(mode, &mask)
        .in_call(|| format!("set_mempolicy({mode:#x}, [{nodes}])"))
}
