//! Options of isolate(1) that say which files the command sees.

use clap::Args;
use std::path::PathBuf;

/// What becomes `/`; it makes a mount namespace.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct RootOptions {
    /// Directory that becomes `/` (makes a mount namespace)
    #[arg(long, value_name = "DIR")]
    pub(crate) rootfs: Option<PathBuf>,
}

impl RootOptions {
    /// Tells whether one of them needs a mount namespace.
    pub(crate) fn needs_mount_namespace(&self) -> bool {
        self.rootfs.is_some()
    }
}
