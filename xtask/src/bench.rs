//! `cargo xtask bench ..`: our programs beside those we want to be faster than.
//!
//! On the same machine, in turns, in one run: only ratios travel. Never a test,
//! because a busy machine is no fault of the code.

mod bundle;
mod measure;
mod report;

use crate::cargo::{build_shipped, xtask};
use crate::package::{self, Missing, Need};
use crate::progress::step;
use crate::root::{as_root, shown};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use report::Measurement;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// `run` of a static true: imageless, runc, crun, and unshare(1) as the floor
    Runtime {
        /// How often each of them runs, after the warm-up
        #[arg(long, value_name = "N", default_value_t = 50)]
        runs: u32,
        /// Also write all samples, in microseconds, as JSON
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// Only tell which system packages are missing
        #[arg(long)]
        no_install: bool,
    },
    /// The part of `runtime` that runs as root
    #[command(hide = true)]
    Measure { imageless: PathBuf, bundle: PathBuf, runs: u32 },
}

/// Runs `cargo xtask bench ..`.
///
/// # Errors
/// A build failed, or one of the measured programs did.
pub(crate) fn bench(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Runtime { runs, json, no_install } => {
            let missing = Missing::from_flag(*no_install);
            package::ensure(&[Need::Bench], missing)?;
            runtime(*runs, json.as_deref())
        }
        Bench::Measure { imageless, bundle, runs } => {
            measure::measure(imageless, bundle, *runs)
        }
    }
}

fn runtime(runs: u32, json: Option<&Path>) -> Result<()> {
    if runs == 0 {
        bail!("--runs 0: there is no median of nothing");
    }
    // What we ship is what we measure.
    let imageless = step("build imageless, optimised and static", || {
        build_shipped("imageless")
    })?;
    let folder = imageless.with_file_name("bench-bundle");
    step("make a bundle of a static true", || bundle::make(&folder))?;
    let what = format!("run each of them {runs} times, in turns");
    let text = step(&what, || measured(&imageless, &folder, runs))?;
    if let Some(file) = json {
        fs::write(file, &text).with_context(|| file.display().to_string())?;
    }
    report::print(&Measurement::all_from_json(&text)?, runs);
    Ok(())
}

/// Measures in a process of its own: it has to be root, and to change its view
/// of /sys/fs/cgroup. It answers with JSON.
fn measured(imageless: &Path, bundle: &Path, runs: u32) -> Result<String> {
    let mut command = as_root(xtask()?);
    command.args(["bench", "measure"]).arg(imageless).arg(bundle);
    command.arg(runs.to_string()).stderr(Stdio::inherit());
    let output = command.output().with_context(|| shown(&command))?;
    if !output.status.success() {
        bail!("measuring: {}", output.status);
    }
    String::from_utf8(output.stdout).context("JSON is UTF-8")
}
