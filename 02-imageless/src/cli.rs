//! The command line, as engines already write it for runc: global options, then
//! a verb.

use crate::cgroups::Manager;
use crate::commands;
use crate::deferred::Deferred;
use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use nix::unistd::geteuid;
use std::path::PathBuf;
use std::process::ExitCode;

/// An OCI runtime over bundles that never were an image
#[derive(Parser)]
#[command(name = "imageless", version = VERSION)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// `imageless version X`, then the version of the runtime-spec: docker and
/// CRI-O parse this shape.
const VERSION: &str =
    concat!("version ", env!("CARGO_PKG_VERSION"), "\nspec: 1.3.0");

/// Options that stand before every verb.
#[derive(clap::Args)]
pub(crate) struct Global {
    /// Directory that holds the state of all containers [default:
    /// /run/imageless, or $XDG_RUNTIME_DIR/imageless for a user]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Append errors to this file too
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Format of the --log file
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Accepted; there is nothing more to tell
    #[arg(long)]
    debug: bool,
    /// Let systemd make the container's cgroup; linux.cgroupsPath is
    /// SLICE:PREFIX:NAME then
    #[arg(long)]
    systemd_cgroup: bool,
    /// Accepted; who calls decides, not the option
    #[arg(long, value_name = "BOOL", value_parser = ["true", "false", "auto"])]
    rootless: Option<String>,
    /// Who makes the container's cgroup
    #[arg(long, value_name = "NAME", default_value = "cgroupfs")]
    cgroup_manager: Manager,
    /// Accepted; there is no checkpoint
    #[arg(long, value_name = "PROGRAM", hide = true)]
    criu: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// key="value" pairs
    Text,
    /// One JSON object a line
    Json,
}

impl Global {
    /// Who makes the cgroup of a container that is created now. Those that are
    /// there keep theirs, whatever a later call says.
    pub(crate) fn cgroup_manager(&self) -> Manager {
        if self.systemd_cgroup { Manager::Systemd } else { self.cgroup_manager }
    }

    /// The directory below which each container has its own.
    ///
    /// # Errors
    /// An ordinary user without XDG_RUNTIME_DIR.
    pub(crate) fn root(&self) -> Result<PathBuf> {
        if let Some(root) = &self.root {
            return std::path::absolute(root).context("--root");
        }
        if geteuid().is_root() {
            return Ok(PathBuf::from("/run/imageless"));
        }
        let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR");
        let runtime_dir = runtime_dir.context(
            "XDG_RUNTIME_DIR is not set\nhint: set it, or use --root",
        )?;
        Ok(PathBuf::from(runtime_dir).join("imageless"))
    }
}

/// The verbs. What is written here is what `--help` says of them; the options
/// of a verb are looked at only when it is called.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a bundle out of programs of this machine: without an image, with all
    /// the libraries they need
    ///
    /// A program of the system keeps its path in the container; any other, such as
    /// target/debug/hello, goes to the top: /hello. Its ELF interpreter and shared
    /// libraries come along, and for a script the program behind #!. What programs
    /// load by themselves while they run (plug-ins, NSS modules, data files) does
    /// not: add it with --copy. Files keep their permissions, except for
    /// set-user-ID bits.
    Bundle(Deferred<commands::bundle::Bundle>),
    /// Write a default config.json, which runs `sh` on a terminal in the directory
    /// rootfs
    Spec(Deferred<commands::spec::Spec>),
    /// Create and start a container; exit with its exit code, or 128 plus the
    /// signal that ended it
    Run(Deferred<commands::run::Run>),
    /// Create a container, whose process waits for `start`
    Create(Deferred<commands::create::Create>),
    /// Start the program of a created container
    Start(Deferred<commands::start::Start>),
    /// Run one more program in a container; exit with its exit code, or 128 plus
    /// the signal that ended it
    Exec(Deferred<commands::exec::Exec>),
    /// Print the state of a container as JSON
    State(Deferred<commands::state::State>),
    /// List the containers
    List(Deferred<commands::list::List>),
    /// List the processes of a container
    Ps(Deferred<commands::ps::Ps>),
    /// Print what a container uses, as lines of JSON, until it has ended
    Events(Deferred<commands::events::Events>),
    /// Change the limits of a container; what is not given stays as it is
    Update(Deferred<commands::update::Update>),
    /// Hold every process of a container still
    Pause(Deferred<commands::pause::Pause>),
    /// Let the processes of a paused container go on
    Resume(Deferred<commands::resume::Resume>),
    /// Send a signal to a container's first process
    Kill(Deferred<commands::kill::Kill>),
    /// Delete a container that is stopped or was never started
    Delete(Deferred<commands::delete::Delete>),
    /// Print what this runtime supports, as JSON
    Features(Deferred<commands::features::Features>),
    /// Not supported: it takes CRIU
    Checkpoint(Deferred<commands::checkpoint::Checkpoint>),
    /// Not supported: it takes CRIU
    Restore(Deferred<commands::checkpoint::Checkpoint>),
}

impl Command {
    /// The exit code of a verb that has failed. 1 may be the program's own, so
    /// `exec` has another, as runc's has.
    pub(crate) fn failure(&self) -> ExitCode {
        match self {
            Self::Exec(_) => ExitCode::from(255),
            _ => ExitCode::FAILURE,
        }
    }

    /// Runs the verb; the exit code is the container's for a foreground `run`
    /// or `exec`, else success.
    pub(crate) fn run(self, global: &Global) -> Result<ExitCode> {
        match self {
            Self::Run(Deferred(run)) => return run.run(global),
            Self::Exec(Deferred(exec)) => return exec.run(global),
            Self::Bundle(Deferred(bundle)) => bundle.run()?,
            Self::Spec(Deferred(spec)) => spec.run()?,
            Self::Create(Deferred(create)) => create.run(global)?,
            Self::Start(Deferred(start)) => start.run(global)?,
            Self::State(Deferred(state)) => state.run(global)?,
            Self::List(Deferred(list)) => list.run(global)?,
            Self::Kill(Deferred(kill)) => kill.run(global)?,
            Self::Delete(Deferred(delete)) => delete.run(global)?,
            Self::Ps(Deferred(ps)) => ps.run(global)?,
            Self::Events(Deferred(events)) => events.run(global)?,
            Self::Update(Deferred(update)) => update.run(global)?,
            Self::Pause(Deferred(pause)) => pause.run(global)?,
            Self::Resume(Deferred(resume)) => resume.run(global)?,
            Self::Features(Deferred(features)) => features.run()?,
            Self::Checkpoint(Deferred(checkpoint)) => {
                checkpoint.run("checkpoint")?
            }
            Self::Restore(Deferred(restore)) => restore.run("restore")?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
