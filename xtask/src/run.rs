//! `cargo xtask run NAME [ARGS]`: builds a stage's program as you, executes it
//! as root.
//!
//! `sudo cargo run` would leave files of root in the target directory and in
//! the registry, and the next build as a user would fail on them.

use crate::cargo::{Profile, binaries, build, path_with_binaries};
use crate::root::{as_root, shown};
use crate::stage::{packages_up_to, stage_of};
use anyhow::{Result, anyhow};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run what `cargo build --release` makes
    #[arg(long)]
    release: bool,
    /// A stage's program: isolate, imageless, runc-naive, conman-shim, conmand,
    /// conman
    name: String,
    /// Its arguments; a `--` before them may be left out
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// Builds the program and everything that it executes, then becomes it.
///
/// # Errors
/// An unknown name, a failed build, or no way to root.
pub(crate) fn run(args: &Args) -> Result<()> {
    let profile = if args.release { Profile::Release } else { Profile::Dev };
    build(&packages_up_to(stage_of(&args.name)?.number), profile)?;
    let mut program = as_root("env");
    program.arg(path_with_binaries(profile)?);
    program.arg(binaries(profile)?.join(&args.name)).args(&args.args);
    let error = program.exec();
    Err(anyhow!("{}: {error}", shown(&program)))
}
