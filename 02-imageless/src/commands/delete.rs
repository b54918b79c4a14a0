//! `delete`: removes what is left of a container.

use crate::cli::Global;
use crate::container::Container;
use crate::id::Id;
use crate::lifecycle;
use crate::removal;
use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Delete {
    /// Kill it first if need be; no error if there is no such container
    #[arg(long, short)]
    force: bool,
    /// The container's id
    #[arg(value_name = "ID")]
    id: String,
}

impl Delete {
    /// Deletes it.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        let (root, id) = (global.root()?, Id::parse(&self.id)?);
        if !self.force {
            return lifecycle::delete(&Container::open(&root, &id)?);
        }
        match Container::find(&root, &id)? {
            Some(container) => removal::force_delete(&container),
            None => Ok(()),
        }
    }
}
