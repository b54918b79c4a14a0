//! `resume`: lets the processes of a paused container go on.

use crate::cli::Global;
use crate::container::Container;
use crate::id::Id;
use crate::lifecycle;
use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Resume {
    /// The container's id
    #[arg(value_name = "ID")]
    id: String,
}

impl Resume {
    /// Resumes it.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        let id = Id::parse(&self.id)?;
        lifecycle::resume(&Container::open(&global.root()?, &id)?)
    }
}
