//! `cargo xtask ship`: imageless as one static file, with the functions that
//! it calls side by side.
//!
//! The kernel maps a program in pieces of 64 KB, each when something in it is
//! first touched. In a file that is in no order the functions of one `run` are
//! in nearly every piece. So a first build is watched at its work, and linked
//! again in the order that this has shown.

mod build;
mod functions;
mod order;
mod training;
mod watch;
mod watchdog;

use crate::bundle::Bundles;
use crate::cargo::{Profile, binaries, xtask};
use crate::package::{self, Missing, Need};
use crate::progress::step;
use crate::root::{as_root, shown};
use anyhow::{Context, Result, bail};
use functions::Functions;
use order::Order;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// How to ship.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only tell which system packages are missing
    #[arg(long)]
    no_install: bool,
    /// The part that runs as root
    #[arg(long, hide = true, num_args = 2, value_names = ["FILE", "BUNDLES"])]
    watch: Vec<PathBuf>,
}

/// Builds the program and tells where it is.
///
/// # Errors
/// A build failed, or the program did while it was watched.
pub(crate) fn ship(args: &Args) -> Result<()> {
    if let [program, bundles] = &args.watch[..] {
        let calls = training::train(program, &Bundles::at(bundles))?;
        return order::by_use(&calls).iter().try_for_each(|name| {
            println!("{name}");
            Ok(())
        });
    }
    package::ensure(&[Need::Ship], Missing::from_flag(args.no_install))?;
    println!("\n{}", make()?.display());
    Ok(())
}

/// Builds imageless as it is shipped, and tells where it is. What is newer than
/// all that it is made from is not made again.
///
/// # Errors
/// Those of [`ship`].
pub(crate) fn make() -> Result<PathBuf> {
    let folder = binaries(Profile::Dev)?.with_file_name("ship");
    let plain = step("build imageless, optimised and static", build::plain)?;
    let shipped = folder.join("imageless");
    if !watch::IS_POSSIBLE {
        println!("    in no order: functions are watched on x86_64 only");
        build::strip(&plain, &shipped)?;
        return Ok(shipped);
    }
    let before = Functions::read(&plain)?;
    let order = match Order::kept(&folder, &[&plain, &xtask()?])? {
        Some(order) => order,
        None => step("watch which functions it calls", || {
            let names = watched(&plain, &Bundles::at(&folder.join("bundles")))?;
            Order::write(&folder, &names)
        })?,
    };
    let ordered = step("link it again, those side by side", || {
        let linked = build::ordered(&order)?;
        check(&order, &before, &Functions::read(&linked)?)?;
        Ok(linked)
    })?;
    build::strip(&ordered, &shipped)?;
    Ok(shipped)
}

/// Watches in a process of its own: it has to be root. It answers with names,
/// one a line.
fn watched(program: &Path, bundles: &Bundles) -> Result<String> {
    bundles.make()?;
    let mut command = as_root(xtask()?);
    command.args(["ship", "--watch"]).arg(program).arg(bundles.folder());
    command.stderr(Stdio::inherit());
    let output = command.output().with_context(|| shown(&command))?;
    if !output.status.success() {
        bail!("watching: {}", output.status);
    }
    String::from_utf8(output.stdout).context("names are UTF-8")
}

/// Makes sure that the linker kept to the order: it passes over names that it
/// does not find.
fn check(order: &Order, before: &Functions, after: &Functions) -> Result<()> {
    let names = order.names()?;
    let (before, after) = (before.pieces(&names), after.pieces(&names));
    println!(
        "    {} names, in {after} pieces of 64 KB instead of {before}",
        names.len()
    );
    if after >= before {
        bail!("{}: the linker did not keep to it", order.file().display());
    }
    Ok(())
}
