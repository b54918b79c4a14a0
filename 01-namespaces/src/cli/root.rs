//! Options of isolate(1) that say which files the command sees.

use super::mounts::{BindOption, TmpfsOption, bind, tmpfs};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use namespaces::mounts;
use std::path::PathBuf;

/// What becomes `/`, and what is mounted in it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct RootOptions {
    /// Directory that becomes `/` (makes a mount namespace)
    #[arg(long, value_name = "DIR")]
    pub(crate) rootfs: Option<PathBuf>,
    /// Only read DIR: what the command changes is kept in memory, then gone
    #[arg(long)]
    pub(crate) overlay: bool,
    /// Nothing in DIR can be changed, nor in what is mounted below it
    #[arg(long)]
    pub(crate) read_only: bool,
    /// A file or directory of the host at DST inside. `idmap`: who owns SRC is
    /// root inside. Repeatable
    #[arg(long, value_name = "SRC:DST[:ro][:idmap]", value_parser = bind)]
    pub(crate) bind: Vec<BindOption>,
    /// An empty directory in memory, `size=64M,mode=755`. Repeatable
    #[arg(long, value_name = "DST[:OPTIONS]", value_parser = tmpfs)]
    pub(crate) tmpfs: Vec<TmpfsOption>,
    /// What mounts of the host and of the inside share with each other
    #[arg(long, value_name = "HOW", default_value = "private")]
    #[arg(hide_possible_values = true)]
    #[arg(
        help = "private (default), slave: mounts of the host appear inside, \
                  shared or unchanged"
    )]
    #[arg(hide_default_value = true)]
    pub(crate) propagation: Propagation,
}

/// The values of unshare(1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Propagation {
    Private,
    Slave,
    Shared,
    Unchanged,
}

impl Propagation {
    /// Gives what has to be set; `None`: all stays as it was copied.
    pub(crate) fn to_set(self) -> Option<mounts::Propagation> {
        match self {
            Self::Private => Some(mounts::Propagation::Private),
            Self::Slave => Some(mounts::Propagation::Slave),
            Self::Shared => Some(mounts::Propagation::Shared),
            Self::Unchanged => None,
        }
    }
}

impl RootOptions {
    /// Tells whether one of them needs a mount namespace.
    pub(crate) fn needs_mount_namespace(&self) -> bool {
        self.rootfs.is_some() || self.propagation != Propagation::Private
    }

    /// Refuses options that would do nothing, or harm the host.
    pub(crate) fn check(&self) -> Result<()> {
        let need_root = [
            ("--overlay", self.overlay),
            ("--read-only", self.read_only),
            ("--bind", !self.bind.is_empty()),
            ("--tmpfs", !self.tmpfs.is_empty()),
        ];
        let given = need_root.iter().find(|(_, is_given)| *is_given);
        match (given, &self.rootfs, self.propagation) {
            (Some((option, _)), None, _) => bail!(
                "{option} without --rootfs: there is no new root for it\n\
                 hint: add --rootfs DIR; --rootfs / --overlay keeps the host's \
                 files as they are"
            ),
            (_, Some(_), Propagation::Shared | Propagation::Unchanged) => {
                bail!(
                    "--propagation: with --rootfs only private or slave: what is \
                 mounted in DIR would appear on the host"
                )
            }
            _ => Ok(()),
        }
    }
}
