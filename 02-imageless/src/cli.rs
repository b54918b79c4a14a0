//! The command line, as engines already write it for runc: global options, then
//! a verb.

use crate::cgroups::Manager;
use crate::commands;
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

#[derive(Subcommand)]
pub(crate) enum Command {
    Bundle(commands::bundle::Bundle),
    Spec(commands::spec::Spec),
    Run(commands::run::Run),
    Create(commands::create::Create),
    Start(commands::start::Start),
    Exec(commands::exec::Exec),
    State(commands::state::State),
    List(commands::list::List),
    Ps(commands::ps::Ps),
    Events(commands::events::Events),
    Update(commands::update::Update),
    Pause(commands::pause::Pause),
    Resume(commands::resume::Resume),
    Kill(commands::kill::Kill),
    Delete(commands::delete::Delete),
    Features(commands::features::Features),
    Checkpoint(commands::checkpoint::Checkpoint),
    Restore(commands::checkpoint::Checkpoint),
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
            Self::Run(run) => return run.run(global),
            Self::Exec(exec) => return exec.run(global),
            Self::Bundle(bundle) => bundle.run()?,
            Self::Spec(spec) => spec.run()?,
            Self::Create(create) => create.run(global)?,
            Self::Start(start) => start.run(global)?,
            Self::State(state) => state.run(global)?,
            Self::List(list) => list.run(global)?,
            Self::Kill(kill) => kill.run(global)?,
            Self::Delete(delete) => delete.run(global)?,
            Self::Ps(ps) => ps.run(global)?,
            Self::Events(events) => events.run(global)?,
            Self::Update(update) => update.run(global)?,
            Self::Pause(pause) => pause.run(global)?,
            Self::Resume(resume) => resume.run(global)?,
            Self::Features(features) => features.run()?,
            Self::Checkpoint(checkpoint) => checkpoint.run("checkpoint")?,
            Self::Restore(restore) => restore.run("restore")?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
