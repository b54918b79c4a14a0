//! `cargo xtask bench ..`: our programs beside those we want to be faster than.
//!
//! On the same machine, in turns, in one run: only ratios travel. Never a test,
//! because a busy machine is no fault of the code.

mod bare;
mod contender;
mod lane;
mod machine;
mod measure;
mod plot;
mod report;
mod samples;

use crate::bundle::Bundles;
use crate::cargo::{Profile, binaries, repository, xtask};
use crate::package::{self, Missing, Need};
use crate::progress::step;
use crate::root::{as_root, shown};
use crate::ship;
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use contender::Programs;
use lane::Lane;
use samples::Results;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// imageless, runc, crun, and as floors unshare(1) and a container by heart
    Runtime(Runtime),
    /// The part of `runtime` that runs as root
    #[command(hide = true)]
    Measure {
        imageless: PathBuf,
        bare: PathBuf,
        bundles: PathBuf,
        runs: u32,
        only: Vec<Lane>,
    },
}

/// What to measure of the runtimes, and where to write it.
#[derive(clap::Args)]
pub(crate) struct Runtime {
    /// Only these; all of them if none is given
    #[arg(long, value_delimiter = ',')]
    only: Vec<Lane>,
    /// How often each of them runs, after the warm-up; the crowd a tenth of it
    #[arg(long, value_name = "N", default_value_t = 50)]
    runs: u32,
    /// Measure this build of imageless, such as an older one, and make none
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Also write all samples, in microseconds, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Also write the table and the plot of the book's chapter
    #[arg(long)]
    book: bool,
    /// Only tell which system packages are missing
    #[arg(long)]
    no_install: bool,
}

/// Where the book shows what was measured.
const TABLE: &str = "book/speed.txt";
const PLOT: &str = "book/src/img/speed.svg";

/// Runs `cargo xtask bench ..`.
///
/// # Errors
/// A build failed, or one of the measured programs did.
pub(crate) fn bench(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Runtime(runtime) => {
            let missing = Missing::from_flag(runtime.no_install);
            package::ensure(&[Need::Bench], missing)?;
            runtime.run()
        }
        Bench::Measure { imageless, bare, bundles, runs, only } => {
            let programs = Programs { imageless, bare };
            let results = measure::measure(&programs, bundles, *runs, only)?;
            println!("{}", results.to_json());
            Ok(())
        }
    }
}

impl Runtime {
    fn run(&self) -> Result<()> {
        if self.runs == 0 {
            bail!("--runs 0: there is no median of nothing");
        }
        if self.book && !self.only.is_empty() {
            bail!("--book: the book shows all of it\nhint: without --only");
        }
        // What we ship is what we measure.
        let imageless = match &self.program {
            Some(program) => program.canonicalize().context("--program")?,
            None => ship::make()?,
        };
        let bare = step("build a container by heart", bare::build)?;
        let bundles = Bundles::at(&binaries(Profile::Release)?.join("bench"));
        step("make bundles of a static true", || bundles.make())?;
        let what = format!("run each of them {} times, in turns", self.runs);
        let text =
            step(&what, || self.measured([&imageless, &bare], &bundles))?;
        if let Some(file) = &self.json {
            write(file, &text)?;
        }
        let results = Results::from_json(&text)?;
        let table = report::table(&results);
        println!("\n{table}");
        if self.book {
            write(&repository().join(TABLE), &table)?;
            write(&repository().join(PLOT), &plot::svg(&results))?;
        }
        Ok(())
    }

    /// Measures in a process of its own: it has to be root, and to change its
    /// view of /sys/fs/cgroup. It answers with JSON.
    fn measured(
        &self,
        programs: [&Path; 2],
        bundles: &Bundles,
    ) -> Result<String> {
        let only = self.only.iter().map(Lane::name);
        let mut command = as_root(xtask()?);
        command.args(["bench", "measure"]).args(programs).arg(bundles.folder());
        command.arg(self.runs.to_string()).args(only);
        command.stderr(Stdio::inherit());
        let output = command.output().with_context(|| shown(&command))?;
        if !output.status.success() {
            bail!("measuring: {}", output.status);
        }
        String::from_utf8(output.stdout).context("JSON is UTF-8")
    }
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| file.display().to_string())
}
