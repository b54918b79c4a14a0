//! The command line of isolate(1). Short options are those of unshare(1). Each
//! topic keeps its options in a file of its own.

mod amount;
mod limits;
mod mounts;
mod namespaces;
mod root;
mod time;
mod user;

use ::namespaces::namespace::{Namespace, Namespaces};
use anyhow::{Result, anyhow};
use clap::error::{ContextKind, ErrorKind};
use clap::{Args, Parser};
use std::ffi::OsString;

use crate::enter::EnterOptions;
use crate::inspect::InspectOptions;
use crate::pin::{PinOptions, UnpinOptions};

pub(crate) use limits::LimitOptions;
pub(crate) use mounts::{BindOption, TmpfsOption};
pub(crate) use namespaces::NamespaceOptions;
pub(crate) use root::RootOptions;
pub(crate) use time::TimeOptions;
pub(crate) use user::UserOptions;

/// Runs a command in namespaces and a cgroup of its own, or looks at such ones
///
/// What a command gets that is not asked for anything: nothing new. With --pid it is process 1; with --net it has a loopback device
/// that is down, and no more; with --user, which an ordinary user always gets, it is root inside.
///
/// A command with the name of a subcommand goes behind `--`. Exit code: the command's; 128 plus the signal that ended it; 127 if it was
/// not found, 126 if it cannot be executed, 125 if isolate itself failed.
#[derive(Debug, Parser)]
#[command(name = "isolate", version, disable_help_subcommand = true)]
#[command(subcommand_value_name = "SUBCOMMAND")]
#[command(subcommand_help_heading = "Subcommands", after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
#[command(subcommand_negates_reqs = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) subcommand: Option<Subcommand>,
    #[command(flatten)]
    pub(crate) run: Options,
}

const EXAMPLES: &str = "\
Examples:
  isolate --pid --mount --uts --hostname box -- sh
  isolate --rootfs DIR --overlay --memory 64M -- CMD
  isolate --plan --user --pid --mount -- CMD
  isolate enter PID -- sh";

/// What else it can do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    Enter(EnterOptions),
    Inspect(InspectOptions),
    Pin(PinOptions),
    Unpin(UnpinOptions),
}

/// What to run, and in what.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Host name inside (makes a UTS namespace)
    #[arg(long, value_name = "NAME")]
    pub(crate) hostname: Option<OsString>,
    /// Be PID 1 ourselves: reap orphans, forward signals (makes a pid namespace)
    #[arg(long)]
    pub(crate) init: bool,
    /// Print what would be done, system call by system call, and do nothing
    #[arg(long)]
    pub(crate) plan: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true)]
    pub(crate) command: Vec<OsString>,

    // Last: each has a heading, which would hold for what follows.
    #[command(flatten)]
    namespaces: NamespaceOptions,
    #[command(flatten)]
    pub(crate) user: UserOptions,
    #[command(flatten)]
    pub(crate) root: RootOptions,
    #[command(flatten)]
    pub(crate) limits: LimitOptions,
    #[command(flatten)]
    pub(crate) time: TimeOptions,
}

impl Options {
    /// Lists the namespaces to make: those asked for, and those that other
    /// options need.
    pub(crate) fn namespaces(&self) -> Namespaces {
        let mut namespaces = self.namespaces.namespaces();
        if self.root.needs_mount_namespace() {
            namespaces.insert(Namespace::Mount);
        }
        if self.user.needs_user_namespace() {
            namespaces.insert(Namespace::User);
        }
        if self.init {
            namespaces.insert(Namespace::Pid);
        }
        if self.hostname.is_some() {
            namespaces.insert(Namespace::Uts);
        }
        if self.time.offsets().is_some() {
            namespaces.insert(Namespace::Time);
        }
        namespaces
    }
}

/// Reads the command line. `None`: it asked for help or the version, which is
/// printed.
pub(crate) fn parse() -> Result<Option<CommandLine>> {
    match CommandLine::try_parse() {
        Ok(command_line) => Ok(Some(command_line)),
        Err(error) if !error.use_stderr() => {
            // Who reads it may stop halfway, as head(1) does.
            let _ = error.print();
            Ok(None)
        }
        Err(error) => Err(one_line(&error)),
    }
}

/// Says what is wrong with the command line in one line, and where help is.
fn one_line(error: &clap::Error) -> anyhow::Error {
    let text = error.to_string();
    let what = text.lines().next().unwrap_or_default();
    let what = what.trim_start_matches("error: ");
    let what = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::MissingRequiredArgument, Some(missing)) => {
            &format!("missing: {missing}")
        }
        _ => what,
    };
    anyhow!("{what}\nhint: isolate --help")
}
