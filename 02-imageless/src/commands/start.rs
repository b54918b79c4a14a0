//! `start`: lets the created container's init become the user's program.

use crate::cli::Global;
use crate::container::Container;
use crate::id::Id;
use crate::lifecycle;
use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Start {
    /// The container's id
    #[arg(value_name = "ID")]
    id: String,
}

impl Start {
    /// Starts it.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        lifecycle::start(&Container::open(
            &global.root()?,
            &Id::parse(&self.id)?,
        )?)
    }
}
