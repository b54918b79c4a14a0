//! All automation of this repository: `cargo xtask --help`.
//!
//! It must be light to compile, because a newcomer runs it first; what builds
//! mdBook is therefore a program of its own (`xtask/book`). One file per
//! command.

mod bench;
mod book;
mod bundle;
mod cargo;
mod ci;
mod conformance;
mod demo;
mod doctor;
mod exercise;
mod mutants;
mod package;
mod progress;
mod root;
mod run;
mod ship;
mod soak;
mod stage;
mod test;
mod unheard;
mod vm;

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// All automation of this repository
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Look at the machine: what is missing, its fix, what it blocks
    Doctor,
    /// Install the system packages that tests, demo and bench need
    Packages(package::Args),
    /// The main job as a story: a container outlives its manager
    Demo(demo::Args),
    /// Build a stage's program as you, run it as root
    Run(run::Args),
    /// Run every test, as root where a test needs it
    Test(test::Args),
    /// All that must hold before a change: lints, tests, book, demo
    Ci,
    /// What the OCI's own programs say of runc and of our runtime
    #[command(subcommand)]
    Conformance(conformance::Conformance),
    /// The book's exercises: start one, check it, ask for a hint
    #[command(subcommand)]
    Exercise(exercise::Exercise),
    /// Take set-up steps away, one at a time: a test has to notice each
    Mutants(mutants::Args),
    /// Make and remove containers for a long time: nothing may stay behind
    Soak(soak::Args),
    /// Build the runtime as one static file, its functions in good order
    Ship(ship::Args),
    /// Measure our programs side by side with their counterparts
    #[command(subcommand)]
    Bench(bench::Bench),
    /// A machine with pure cgroup v2: run the tests in it, or a shell
    #[command(subcommand)]
    Vm(vm::Vm),
    /// The book: build, lint, test its transcripts, bless them
    #[command(disable_help_flag = true)]
    Book {
        /// What xtask-book is told; `--help` lists its commands
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Become root and execute a program: how `test` runs what cargo built
    #[command(hide = true)]
    AsRoot {
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            required = true
        )]
        argv: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    unheard::stop_if_unheard();
    let done = match Cli::parse().command {
        Command::Doctor => doctor::doctor(),
        Command::Packages(args) => package::packages(&args),
        Command::Demo(args) => demo::demo(&args),
        Command::Run(args) => run::run(&args),
        Command::Test(args) => test::test(&args),
        Command::Ci => ci::ci(),
        Command::Conformance(what) => conformance::conformance(&what),
        Command::Exercise(verb) => exercise::exercise(&verb),
        Command::Mutants(args) => mutants::mutants(&args),
        Command::Soak(args) => soak::soak(&args),
        Command::Ship(args) => ship::ship(&args),
        Command::Bench(bench) => bench::bench(&bench),
        Command::Vm(vm) => vm::vm(&vm),
        Command::Book { args } => book::book(&args),
        Command::AsRoot { argv } => root::exec_as_root(&argv),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
