//! What the Linux kernel itself gives to build a container from, as a library
//! for the stages above and as `isolate`.
//!
//! A container is no thing of the kernel. It is a process that was started with
//! some of these, so read in this order:
//!
//! 1. [`namespace`]: what the process sees. Eight kinds, one table.
//! 2. [`process`]: how it is made in new namespaces, waited for and turned into
//!    the program, by pidfd.
//! 3. [`idmap`]: who it is, when the namespace is a user namespace.
//! 4. [`mounts`], [`root`], [`rootfs`]: which files it sees, and why a symlink
//!    does not lead out of them.
//! 5. [`cgroup`]: how much it may use, on cgroup v1 and v2.
//! 6. [`capabilities`]: what it may do, root or not.
//!    [`seccomp`]: which system calls it may make. [`keyring`]: whose keys it
//!    has.
//! 7. [`signals`]: what the parent owes it while it runs in the foreground;
//!    [`init`]: what process 1 owes the others.
//! 8. [`mountinfo`]: what is mounted, read back from the kernel by
//!    [`kernel_file`].
//! 9. [`time`]: since when the machine runs, as it sees it. [`scheduling`]: when
//!    and where it runs itself.
//!
//! Beneath them are [`error`], which makes every failure read as a line of
//! strace(1), and [`sys`], the only module with `unsafe`.
//!
//! Rules of this crate: one thread only (a fork copies just one); every
//! descriptor is owned and close-on-exec; decide in pure functions, act in thin
//! ones, so that what will be done can be printed before it is done.

#![warn(clippy::missing_errors_doc)]

pub mod capabilities;
pub mod cgroup;
pub mod error;
pub mod idmap;
pub mod init;
pub mod kernel_file;
pub mod keyring;
pub mod mountinfo;
pub mod mounts;
pub mod namespace;
pub mod process;
pub mod root;
pub mod rootfs;
pub mod scheduling;
pub mod seccomp;
pub mod signals;
pub mod sys;
pub mod time;

pub use error::{InCall, Result, SyscallError};
