//! `imageless spec`: the file to edit when a rootfs is there already.

use crate::config_json;
use crate::default_spec::{Owner, default_spec};
use anyhow::{Context, Result};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Spec {
    /// Directory to write to
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    bundle: PathBuf,
    /// For a user without privileges: in a user namespace, where you are root
    #[arg(long)]
    rootless: bool,
}

impl Spec {
    /// Writes config.json; an existing one stays as it is.
    pub(crate) fn run(self) -> Result<()> {
        let owner = if self.rootless { Owner::rootless() } else { Owner::Root };
        let path = self.bundle.join("config.json");
        config_json::write(&default_spec(owner), &path).context("spec")
    }
}
