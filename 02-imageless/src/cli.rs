//! The command line, as engines already write it for runc: global options, then a verb.

use crate::commands;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// An OCI runtime over bundles that never were an image
#[derive(Parser)]
#[command(name = "imageless", version = VERSION, disable_help_subcommand = false)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// `imageless version X`, then the version of the runtime-spec: docker and CRI-O parse this shape.
const VERSION: &str = concat!("version ", env!("CARGO_PKG_VERSION"), "\nspec: 1.2.0");

/// Options that stand before every verb.
#[derive(clap::Args)]
pub(crate) struct Global {
    /// Directory that holds the state of all containers [default: /run/imageless, or
    /// $XDG_RUNTIME_DIR/imageless for a user]
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Append errors to this file too
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Format of the --log file
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// key="value" pairs
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Bundle(commands::bundle::Bundle),
    Spec(commands::spec::Spec),
}

impl Command {
    /// Runs the verb; the exit code is the container's for a foreground `run`, else success.
    pub(crate) fn run(self, _global: &Global) -> anyhow::Result<ExitCode> {
        match self {
            Self::Bundle(bundle) => bundle.run()?,
            Self::Spec(spec) => spec.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
