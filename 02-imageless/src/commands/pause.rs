//! `pause`: holds every process of a container still.

use crate::cli::Global;
use crate::container::Container;
use crate::id::Id;
use crate::lifecycle;
use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Pause {
    /// The container's id
    #[arg(value_name = "ID")]
    id: String,
}

impl Pause {
    /// Pauses it; returns when no process runs any more.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        let id = Id::parse(&self.id)?;
        lifecycle::pause(&Container::open(&global.root()?, &id)?)
    }
}
