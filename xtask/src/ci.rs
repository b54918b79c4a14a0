//! `cargo xtask ci`: all that must hold before a change is sent.
//!
//! It goes on after a failure and fails at the end: what waits for a machine
//! wants to hear everything in one run, and a step on a broken build is short.

use crate::cargo::{cargo, xtask};
use crate::progress::step;
use crate::root::succeed;
use crate::test::{self, Tally};
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// What a step does.
enum Work {
    Cargo(&'static [&'static str]),
    Test,
    /// The tests in the other layout of cgroups than this machine's.
    CgroupV2,
    Xtask(&'static [&'static str]),
}

/// Cheap steps first; all share one target directory.
const STEPS: &[(&str, Work)] = &[
    ("format", Work::Cargo(&["fmt", "--all", "--check"])),
    (
        "clippy",
        Work::Cargo(&[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--keep-going",
            "--",
            "--deny=warnings",
        ]),
    ),
    (
        "documentation",
        Work::Cargo(&[
            "doc",
            "--quiet",
            "--workspace",
            "--no-deps",
            "--keep-going",
        ]),
    ),
    ("test", Work::Test),
    ("cgroup v2", Work::CgroupV2),
    ("conformance", Work::Xtask(&["conformance", "runtime"])),
    ("mutants", Work::Xtask(&["mutants", "--share", "8"])),
    ("soak", Work::Xtask(&["soak", "200"])),
    // That it works, from the build that is shipped to the table; its figures
    // are no verdict.
    ("bench", Work::Xtask(&["bench", "runtime", "--runs", "1"])),
    ("exercises", Work::Xtask(&["exercise", "prove"])),
    ("book lint", Work::Xtask(&["book", "lint"])),
    ("book schedule", Work::Xtask(&["book", "schedule"])),
    ("book test", Work::Xtask(&["book", "test"])),
    ("book build", Work::Xtask(&["book", "build"])),
    ("demo", Work::Xtask(&["demo"])),
];

/// How a step went.
struct Outcome {
    name: &'static str,
    took: Duration,
    result: Result<()>,
}

/// Runs every step, then prints a table of them and the tests' own last lines.
///
/// # Errors
/// A step failed.
pub(crate) fn ci() -> Result<()> {
    let mut tests = None;
    let outcomes: Vec<_> = STEPS
        .iter()
        .map(|(name, work)| outcome(name, work, &mut tests))
        .collect();
    print_summary(&outcomes);
    if let Some(tests) = tests {
        tests.print();
    }
    let failed: Vec<_> =
        outcomes.iter().filter(|outcome| outcome.result.is_err()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = failed.iter().map(|outcome| outcome.name).collect();
    bail!("failed: {}", names.join(", "));
}

fn outcome(
    name: &'static str,
    work: &Work,
    tests: &mut Option<Tally>,
) -> Outcome {
    let begin = Instant::now();
    let result = step(&format!("ci: {name}"), || perform(work, tests));
    if let Err(error) = &result {
        println!("    {error:#}");
    }
    Outcome { name, took: begin.elapsed(), result }
}

fn perform(work: &Work, tests: &mut Option<Tally>) -> Result<()> {
    match work {
        Work::Cargo(args) => {
            succeed(cargo(args).env("RUSTDOCFLAGS", "--deny=warnings"))
        }
        Work::Test => {
            let tally = test::tally(&test::Args::all_required())?;
            tests.insert(tally).verdict()
        }
        Work::CgroupV2 if machine_has_pure_v2() => {
            println!("    no guest: the tests ran on cgroup v2 already");
            Ok(())
        }
        Work::CgroupV2 => succeed(Command::new(xtask()?).args(["vm", "test"])),
        // A child: it may have to become root.
        Work::Xtask(args) => {
            let mut command = Command::new(xtask()?);
            succeed(command.args(*args).env("CONMAN_REQUIRE_ALL", "1"))
        }
    }
}

/// The hybrid layout has v2 too, but elsewhere and without controllers.
fn machine_has_pure_v2() -> bool {
    Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
}

fn print_summary(outcomes: &[Outcome]) {
    println!("\nci:");
    for Outcome { name, took, result } in outcomes {
        let word = if result.is_ok() { "ok" } else { "FAILED" };
        println!("  {name:<16}{word:<8}{:>7.1} s", took.as_secs_f64());
    }
}
