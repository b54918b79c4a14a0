//! `cargo xtask book ..`: hands over to xtask-book, which alone builds mdBook.
//!
//! It is built as you. What executes the book's console blocks runs as root,
//! like the reader who types them, and finds the programs and examples of all
//! stages freshly built.

use crate::cargo::{
    Profile, binaries, build, cargo, path_with_binaries, repository,
};
use crate::root::{as_root, succeed};
use crate::stage::packages_up_to;
use anyhow::Result;
use std::ffi::OsString;
use std::process::Command;

/// The commands of xtask-book that execute console blocks.
const EXECUTING: &[&str] = &["test", "bless"];

/// Builds xtask-book and runs it with `args`.
///
/// # Errors
/// A failed build, or a failed book.
pub(crate) fn book(args: &[OsString]) -> Result<()> {
    let executes = args
        .first()
        .is_some_and(|verb| EXECUTING.iter().any(|name| verb == name));
    let mut packages = if executes { packages_up_to(5) } else { vec![] };
    packages.push("xtask-book");
    build(&packages, Profile::Dev)?;
    if executes {
        let packages = packages.iter().flat_map(|name| ["--package", name]);
        succeed(cargo(&["build", "--examples"]).args(packages))?;
    }
    let mut command =
        if executes { as_root("env") } else { Command::new("env") };
    command.arg(path_with_binaries(Profile::Dev)?);
    command.arg(binaries(Profile::Dev)?.join("xtask-book")).args(args);
    succeed(command.current_dir(repository()))
}
