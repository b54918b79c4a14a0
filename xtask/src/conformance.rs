//! `cargo xtask conformance runtime`: what the OCI's own validation programs say
//! of runc and of imageless, side by side. They know nothing of us: who passes
//! them does what the specification asks. A program that says worse of imageless
//! than `xtask/conformance/runtime.txt` fails the command.

mod build;
mod report;
mod run;
mod scratch;
mod table;
mod tap;

use crate::cargo::{self, Profile, binaries, xtask};
use crate::package::{self, Missing, Need, on_path};
use crate::progress::step;
use crate::root::{as_root, is_root, succeed};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use report::Line;
use run::Runtime;

/// What to hold against a specification.
#[derive(Subcommand)]
pub(crate) enum Conformance {
    /// The OCI's validation programs, on runc and on imageless
    Runtime(Args),
}

/// Which of the programs.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these programs; what they say is then shown, too
    programs: Vec<String>,
    /// The part that runs as root, once everything is built
    #[arg(long, hide = true)]
    built: bool,
}

/// Runs `cargo xtask conformance ..`.
///
/// # Errors
/// A build failed, a program says worse than the table, or something of a
/// container is left.
pub(crate) fn conformance(conformance: &Conformance) -> Result<()> {
    let Conformance::Runtime(args) = conformance;
    if !args.built {
        package::ensure(&[Need::Stage(2)], Missing::Install)?;
        if build::go().is_none() {
            package::ensure(&[Need::Conformance], Missing::Install)?;
        }
        cargo::build(&["imageless"], Profile::Dev)?;
        step("build the validation programs", build::suite)?;
    }
    if is_root() {
        return side_by_side(&args.programs);
    }
    let mut command = as_root(xtask()?);
    command.args(["conformance", "runtime", "--built"]);
    succeed(command.args(&args.programs))
}

fn side_by_side(only: &[String]) -> Result<()> {
    let table = table::read()?;
    if let Some(name) =
        only.iter().find(|name| !table.iter().any(|row| row.program == **name))
    {
        bail!("{name}: no such program\nhint: xtask/conformance/runtime.txt");
    }
    let is_asked_for =
        |program: &str| only.is_empty() || only.iter().any(|o| o == program);
    let rows: Vec<_> =
        table.iter().filter(|row| is_asked_for(&row.program)).collect();
    let programs: Vec<_> = rows.iter().map(|row| &*row.program).collect();
    let runc = on_path("runc").context("runc is not installed")?;
    let imageless = binaries(Profile::Dev)?.join("imageless");
    let runtimes = [
        Runtime { name: "runc", file: runc },
        Runtime { name: "imageless", file: imageless },
    ];
    let what = format!("run {} programs on runc and imageless", programs.len());
    let [runc, ours] = step(&what, || run::all(&programs, &runtimes))?;
    let mut lines: Vec<_> = std::iter::zip(rows, std::iter::zip(runc, ours))
        .map(|(expected, (runc, ours))| Line { expected, runc, ours })
        .collect();
    for line in lines.iter_mut().filter(|line| line.is_worse()) {
        again(line, &runtimes)?;
    }
    report::print(&lines, !only.is_empty());
    report::verdict(&lines)
}

/// Some programs race with the clock: one that does worse among others is run
/// once more, alone.
fn again(line: &mut Line<'_>, runtimes: &[Runtime; 2]) -> Result<()> {
    let program = &*line.expected.program;
    let [runc, ours] = step(&format!("run {program} again, alone"), || {
        run::all(&[program], runtimes)
    })?;
    if let ([runc], [ours]) = (&runc[..], &ours[..]) {
        (line.runc, line.ours) = (runc.clone(), ours.clone());
    }
    Ok(())
}
