//! Where cargo stands, and what it builds: the root of the repository and the
//! target directory.
//!
//! Cargo is the one that started us (`cargo xtask`), so nested calls use the
//! same one. They share its target directory: nothing is compiled twice.

use crate::root::{assignment, search_path, succeed};
use anyhow::{Context, Result};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How a program was compiled; the name is the folder under the target
/// directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// The repository's root: the folder above this package.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the repository")
}

/// A cargo command that runs in the repository's root.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(args).current_dir(repository());
    command
}

/// The cargo that started us, for who does not run it directly.
pub(crate) fn program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Builds the programs of these packages as the calling user. Cargo shows its
/// progress: the first time takes minutes.
///
/// # Errors
/// Cargo's exit status; what it complains about is on the terminal already.
pub(crate) fn build(packages: &[&str], profile: Profile) -> Result<()> {
    let mut command = cargo(&["build", "--bins"]);
    for package in packages {
        command.args(["--package", package]);
    }
    if profile == Profile::Release {
        command.arg("--release");
    }
    succeed(&mut command)
}

/// Lets cargo make static programs at a fixed address. The flags are for a
/// target that is named although it is this machine's, and which is returned:
/// only then do they spare proc macros, which are libraries and cannot be
/// static. The programs are in a folder of that name. The README has these flags
/// too.
pub(crate) fn link_statically(cargo: &mut Command) -> String {
    let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    let flags = "-C target-feature=+crt-static -C relocation-model=static";
    cargo.args(["--target", &target]).env("RUSTFLAGS", flags);
    target
}

/// The folder of the programs that cargo built.
///
/// Wherever cargo was told to put its output, xtask itself lies in it:
/// `TARGET/debug/xtask`.
///
/// # Errors
/// /proc is not mounted.
pub(crate) fn binaries(profile: Profile) -> Result<PathBuf> {
    let ours = env::current_exe().context("readlink(\"/proc/self/exe\")")?;
    let target = ours
        .parent()
        .and_then(Path::parent)
        .context("xtask was not built by cargo")?;
    Ok(target.join(match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    }))
}

/// This program, by its path: a build since may have replaced the file that
/// /proc/self/exe means.
///
/// # Errors
/// Those of [`binaries`].
pub(crate) fn xtask() -> Result<PathBuf> {
    Ok(binaries(Profile::Dev)?.join("xtask"))
}

/// `PATH=..` with the freshly built programs first, as an argument for env(1).
///
/// # Errors
/// Those of [`binaries`], or a `:` in the repository's path.
pub(crate) fn path_with_binaries(profile: Profile) -> Result<OsString> {
    let all = std::iter::once(binaries(profile)?).chain(search_path());
    Ok(assignment("PATH", &env::join_paths(all).context("PATH")?))
}
