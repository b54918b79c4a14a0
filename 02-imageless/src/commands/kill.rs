//! `kill`: sends a signal to the container.

use crate::cli::Global;
use crate::container::Container;
use crate::id::Id;
use crate::lifecycle::{self, Target};
use crate::signal;
use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Kill {
    /// Send it to every process of the container
    #[arg(long, short)]
    all: bool,
    /// The container's id
    #[arg(value_name = "ID")]
    id: String,
    /// Name or number: KILL, SIGKILL, 9, RTMIN+1
    #[arg(value_name = "SIGNAL", default_value = "SIGTERM")]
    signal: String,
}

impl Kill {
    /// Sends it.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        let signal = signal::parse(&self.signal)?;
        let container =
            Container::open(&global.root()?, &Id::parse(&self.id)?)?;
        let target = if self.all { Target::All } else { Target::Init };
        lifecycle::kill(&container, signal, target)
    }
}
