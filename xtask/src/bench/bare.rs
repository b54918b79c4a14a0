//! The second floor: a container that is made by heart, see
//! 02-imageless/examples/bare.rs.

use crate::cargo::{Profile, binaries, cargo, link_statically};
use crate::root::succeed;
use anyhow::Result;
use std::path::PathBuf;

/// Builds it as imageless is built before it is put in order.
///
/// # Errors
/// Cargo's exit status; what it complains about is on the terminal already.
pub(super) fn build() -> Result<PathBuf> {
    let mut command = cargo(&["build", "--release"]);
    command.args(["--package", "imageless", "--example", "bare"]);
    let target = link_statically(&mut command);
    // As in the other build, which else would not share what is compiled.
    command.env("CARGO_PROFILE_RELEASE_STRIP", "none");
    succeed(&mut command)?;
    let beside = binaries(Profile::Release)?.with_file_name(target);
    Ok(beside.join("release/examples/bare"))
}
