//! `state`: the container's state as JSON, in the runtime-spec's words.

use crate::cli::Global;
use crate::container::Container;
use crate::id::Id;
use crate::report::{self, Report};
use anyhow::{Context, Result};

#[derive(clap::Args)]
pub(crate) struct State {
    /// The container's id
    #[arg(value_name = "ID")]
    id: String,
}

impl State {
    /// Prints it.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        let container =
            Container::open(&global.root()?, &Id::parse(&self.id)?)?;
        let text = serde_json::to_string_pretty(&Report::of(&container))
            .context("state")?
            + "\n";
        report::print(&text)
    }
}
