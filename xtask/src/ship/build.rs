//! What cargo and the linker do for a program that is shipped: optimised, and
//! static. A short-lived program spends a good part of its life being linked,
//! and a static one also starts where there is no libc or another one. It has
//! one fixed address, as runc has: to be moved to a random one would take a
//! write to fifty pages at each start.
//!
//! Both builds are the same but for the linker's arguments, so that functions
//! have the same names in both. Cargo keeps them apart by these arguments.

use super::order::Order;
use crate::cargo::{Profile, binaries, cargo, link_statically};
use crate::root::succeed;
use anyhow::{Context, Result, anyhow};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What we ship.
const PROGRAM: &str = "imageless";

/// Said when the link fails: the linker's own words name an option.
const HINT: &str = "hint: only lld can put functions in order. rustc brings it \
    and links with it; does a config.toml of cargo choose another linker?";

/// Builds it with its symbols, in the order of the compiler.
///
/// # Errors
/// Cargo's exit status; what it complains about is on the terminal already.
pub(super) fn plain() -> Result<PathBuf> {
    link(&[])
}

/// Builds it with its symbols, in the given order.
///
/// # Errors
/// Those of [`plain`], and that the linker is not lld.
pub(super) fn ordered(order: &Order) -> Result<PathBuf> {
    let file = order.file().display();
    link(&[
        &format!("--symbol-ordering-file={file}"),
        // Two functions may have one name, and lld asks which is meant.
        "--no-warn-symbol-ordering",
    ])
    .map_err(|error| anyhow!("{error:#}\n{HINT}"))
}

fn link(arguments: &[&str]) -> Result<PathBuf> {
    let mut command = cargo(&["rustc", "--release"]);
    command.args(["--package", PROGRAM, "--bin", PROGRAM]);
    let target = link_statically(&mut command);
    command.env("CARGO_PROFILE_RELEASE_STRIP", "none").arg("--");
    for argument in arguments {
        command.arg("-C").arg(format!("link-arg=-Wl,{argument}"));
    }
    succeed(&mut command)?;
    let beside = binaries(Profile::Release)?.with_file_name(target);
    Ok(beside.join("release").join(PROGRAM))
}

/// Writes the program without its symbols.
///
/// # Errors
/// strip(1) failed: it comes with every linker.
pub(super) fn strip(program: &Path, to: &Path) -> Result<()> {
    // Whoever executes the old one keeps it.
    let new = to.with_extension("new");
    let folder = to.parent().context("it is in a folder")?;
    fs::create_dir_all(folder)
        .with_context(|| format!("mkdir {}", folder.display()))?;
    let mut strip = Command::new("strip");
    succeed(strip.arg("--strip-all").arg("-o").arg(&new).arg(program))?;
    forget(&new)?;
    fs::rename(&new, to).with_context(|| format!("rename {}", to.display()))
}

/// Lets the page cache forget a file, to read it again when it is executed.
///
/// What was just written lies there in larger folios than what was read, and
/// of a large one Linux 6.18 (2025-11) maps all at the first touch: until the
/// next boot the program would have twice the memory.
///
/// Source: mm/filemap.c, `filemap_map_pages`
fn forget(file: &Path) -> Result<()> {
    let name = || file.display().to_string();
    let file = File::open(file).with_context(name)?;
    // Only what is on the disk can be forgotten.
    file.sync_all().context("fsync").with_context(name)?;
    let all = PosixFadviseAdvice::POSIX_FADV_DONTNEED;
    posix_fadvise(&file, 0, 0, all).context("posix_fadvise").with_context(name)
}
