//! `imageless`: an OCI runtime, as runc is one, and a maker of bundles that
//! never were an image.
//!
//! One call, one verb; then nothing of the runtime stays but files and, for each
//! container, an init. `cli.rs` lists the verbs, `create.rs` and `lifecycle.rs`
//! are what they do, `init.rs` is the life of a container's first process.
//! (A library only so that `fuzz/` reaches what decides: see `decide.rs`.)

mod affinity;
mod bundle;
mod capabilities;
mod cgroups;
mod cli;
mod clocks;
mod commands;
mod config;
mod config_json;
mod console;
mod container;
mod create;
mod credentials;
pub mod decide;
mod default_spec;
mod deferred;
mod device_rules;
mod devices;
mod duration;
mod every_process;
mod exec;
mod home;
mod hooks;
mod id;
mod identity;
mod init;
mod isolation;
mod joining;
mod kept_fds;
mod labels;
mod lifecycle;
mod located;
mod log;
mod members;
mod memory_policy;
mod mount_options;
mod mounts;
mod net_devices;
mod netlink;
mod outcome;
mod outside;
mod over_proc;
mod own_binary;
mod pidfd_socket;
mod plan;
mod process;
mod program;
mod propagation;
mod relay;
mod removal;
mod report;
mod resources;
mod rlimits;
mod scheduling;
mod seccomp;
mod signal;
mod spelling;
mod start;
mod state;
mod stats;
mod stdio;
mod supported;
mod sync;
mod sysctl;
mod systemd;
mod user;

use clap::Parser;
use std::process::ExitCode;

/// Does what the command line says; for `bin/imageless.rs`.
pub fn main() -> ExitCode {
    own_binary::protect_early();
    let cli::Cli { global, command } = cli::Cli::parse();
    log::choose(&global);
    let failure = command.failure();
    match command.run(&global) {
        Ok(code) => code,
        Err(error) => {
            log::error(&log::printable(&format!("{error:#}")));
            failure
        }
    }
}
