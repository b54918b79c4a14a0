//! `cargo xtask test`: every test of the workspace, on a real kernel.
//!
//! Built as you, run as root: cargo hands each test program to `xtask as-root`.
//! A test that lacks what it needs is skipped, counted and named.

mod tally;

use crate::cargo::{Profile, cargo, path_with_binaries, xtask};
use crate::package::{self, Missing, Need};
use crate::progress::step;
use crate::root::{is_root, shown, succeed};
use crate::stage::{STAGES, stage};
use anyhow::{Context, Result, bail};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
pub(crate) use tally::Tally;

/// Which tests.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Only the tests of this stage, 1 to 5
    #[arg(long, value_name = "N")]
    stage: Option<u8>,
    /// Only tell which system packages are missing
    #[arg(long)]
    no_install: bool,
    /// A test that would be skipped fails (so does CONMAN_REQUIRE_ALL=1)
    #[arg(long)]
    require_all: bool,
    /// Only tests with this text in their names
    filter: Option<String>,
}

impl Args {
    /// Every test, and each has to find what it needs.
    pub(crate) fn all_required() -> Args {
        Args { require_all: true, ..Args::default() }
    }
}

/// Sets up, builds, runs the tests and prints the total in the last line.
///
/// # Errors
/// A build or a test failed.
pub(crate) fn test(args: &Args) -> Result<()> {
    let tally = tally(args)?;
    tally.print();
    tally.verdict()
}

/// The same, but leaves the printing of the total to the caller.
///
/// # Errors
/// Something failed before the first test ran.
pub(crate) fn tally(args: &Args) -> Result<Tally> {
    let only = args.stage.map(stage).transpose()?;
    let needs: Vec<_> = STAGES
        .iter()
        .filter(|stage| only.is_none_or(|only| only.number == stage.number))
        .map(|stage| Need::Stage(stage.number))
        .collect();
    package::ensure(&needs, Missing::from_flag(args.no_install))?;

    // Tests of one stage run programs of another, and cargo builds for a test
    // only the programs of its own package.
    step("build the programs and examples", || {
        let targets = ["--bins", "--examples"];
        succeed(cargo(&["build", "--workspace"]).args(targets))
    })?;
    let mut which = vec!["test"];
    match only {
        Some(stage) => which.extend(["--package", stage.package]),
        None => which.push("--workspace"),
    }
    step("build the tests", || {
        let mut build = cargo(&which);
        succeed(build.args(["--no-run", "--quiet"]))
    })?;
    let mut command = test_command(&which)?;
    command.args(&args.filter);
    if args.require_all {
        command.env("CONMAN_REQUIRE_ALL", "1");
    }
    step("run the tests", || run(&mut command))
}

/// One failing test program must not hide what the others would say.
fn test_command(which: &[&str]) -> Result<Command> {
    let mut command = Command::new("env");
    command.arg(path_with_binaries(Profile::Dev)?);
    let cargo = cargo(which);
    command.arg(cargo.get_program()).args(cargo.get_args());
    command.current_dir(crate::cargo::repository()).arg("--no-fail-fast");
    run_as_root(&mut command)?;
    Ok(command)
}

/// Lets cargo run as root what it built as us.
///
/// # Errors
/// Those of [`xtask`].
pub(crate) fn run_as_root(cargo: &mut Command) -> Result<()> {
    if !is_root() {
        let runner = format!("['{}', 'as-root']", xtask()?.display());
        let setting = format!("target.'cfg(unix)'.runner = {runner}");
        cargo.args(["--config", &setting]);
    }
    Ok(())
}

/// Runs cargo test, showing what it prints and counting on the way.
fn run(command: &mut Command) -> Result<Tally> {
    let skips = SkipFile::new();
    command.env("CONMAN_SKIPS", &skips.0).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| shown(command))?;
    let mut tally = Tally::default();
    let stdout = child.stdout.take().context("a pipe was asked for")?;
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.context("reading what cargo test prints")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally.read(&line);
    }
    let status = child.wait().context("cargo test")?;
    tally.ended_well = status.success();
    tally.skips = skips.lines()?;
    if tally.results.is_empty() {
        bail!("{}: {status}, and not one test ran", shown(command));
    }
    Ok(tally)
}

/// The file that testkit notes skipped tests in; it goes when this value does.
struct SkipFile(PathBuf);

impl SkipFile {
    fn new() -> SkipFile {
        let name = format!("conman-skips-{}", std::process::id());
        SkipFile(env::temp_dir().join(name))
    }

    fn lines(&self) -> Result<Vec<String>> {
        if !self.0.exists() {
            return Ok(vec![]);
        }
        let text = fs::read_to_string(&self.0);
        let text = text.with_context(|| self.0.display().to_string())?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

impl Drop for SkipFile {
    fn drop(&mut self) {
        // Mostly it was never made; a stray file in /tmp is no failed test.
        let _ = fs::remove_file(&self.0);
    }
}
