//! `checkpoint` and `restore`: verbs that engines know, and that we have not.

use anyhow::{Result, bail};

#[derive(clap::Args)]
pub(crate) struct Checkpoint {
    /// Whatever runc takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<String>,
}

impl Checkpoint {
    /// Says so.
    pub(crate) fn run(self, verb: &str) -> Result<()> {
        bail!(
            "{verb}: not supported: to write processes to files and back \
             takes CRIU\nhint: runc and crun can, where CRIU works"
        )
    }
}
