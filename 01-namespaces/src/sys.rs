//! The only place of the workspace with `unsafe`: system calls that no library
//! gives us a safe function for, one file for each subject. Each bears its man
//! page's name or, for a call with many uses, that of the use (`receive_fd`:
//! recvmsg(2)). `process`, `mounts` and `cgroup` give them meaning, and say
//! which errors to expect. SAFETY says why the man page's duties hold here.

mod bpf;
mod descriptors;
mod keyring;
mod mounts;
mod process;
mod scheduling;
mod seccomp;

pub use bpf::{bpf_prog_attach, bpf_prog_load};
pub use descriptors::{close_range_cloexec, dup_inherited, receive_fd};
pub use keyring::{keyctl_join_session_keyring, keyctl_setperm};
pub use mounts::mount_setattr;
pub use process::{
    Cloned, Waited, clone3, exit_now, pidfd_open, pidfd_send_signal,
    reset_signals, waitid,
};
pub use scheduling::{SchedAttr, ioprio_set, sched_setattr, set_mempolicy};
pub use seccomp::seccomp_set_mode_filter;
