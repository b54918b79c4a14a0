//! The runtime's verbs, from the outside. What the runtime-spec or an engine
//! asks of every runtime is asked of runc first, then of ours.

mod at_once;
mod crash;
mod driver;
mod exec;
mod hooks;
mod hooks_that_fail;
mod inside;
mod keyring;
mod killed;
mod limits;
mod mount_points;
mod mounts;
mod mounts_of_others;
mod net_devices;
mod notify;
mod own_binary;
mod pause;
mod pidfd_socket;
mod process;
mod propagation;
mod refusals;
mod run;
mod screen;
mod seccomp;
mod terminal;
mod transitions;
mod update;
mod verbs;
mod watching;
