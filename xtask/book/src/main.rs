//! `cargo xtask book`: builds the book, and makes sure that nothing in it can drift.
//!
//! mdBook hides drift: a missing anchor is an empty listing and exit status 0. So `lint` checks
//! what a page says about the sources, and `test` executes what it says about the machine.
//! How to write a console block stands in `console-blocks.md`, which `--help` prints.

mod bless;
mod book;
mod caption;
mod chapter;
mod finding;
mod host;
mod lint;
mod listing;
mod page;
mod reaper;
mod renaming;
mod schedule;
mod session;
mod shapes;
mod shown;
mod states;
mod terminal;
mod transcript;
#[path = "../../src/unheard.rs"]
mod unheard;
mod verdict;

use book::Book;
use chapter::Mode;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Builds the book, checks it, executes what it shows
#[derive(Parser)]
#[command(name = "cargo xtask book", bin_name = "cargo xtask book")]
#[command(max_term_width = 90)]
#[command(after_long_help = include_str!("console-blocks.md"))]
struct Cli {
    /// The repository whose `book/` is meant
    #[arg(long, global = true, value_name = "DIR", default_value_os_t = repository())]
    root: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Render the book into book/build
    Build,
    /// Check listings, links, names and fences against the sources
    Lint,
    /// Draw what is drawn from a table: the life of a container
    Draw,
    /// Print what fits into a workshop; a plan over its time fails
    Schedule,
    /// Execute every console block, and compare what it prints with the page
    Test {
        /// Only these chapters, by file name without .md
        chapters: Vec<String>,
    },
    /// Execute every console block, and write what it prints into the page
    Bless {
        /// Only these chapters, by file name without .md
        chapters: Vec<String>,
    },
}

/// The repository that this program was built from.
fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .ancestors()
        .nth(2)
        .expect("xtask/book lies two folders deep")
        .to_owned()
}

fn main() -> ExitCode {
    unheard::stop_if_unheard();
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo xtask book: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does what the command line says, and tells whether the book is in order.
fn run(cli: &Cli) -> anyhow::Result<bool> {
    let book = Book::load(&cli.root)?;
    match &cli.command {
        Command::Build => build(&book),
        Command::Lint => lint(&book),
        Command::Draw => states::write(&book).map(|()| true),
        Command::Schedule => schedule::schedule(&book),
        Command::Test { chapters } => chapter::run(&book, chapters, Mode::Test),
        Command::Bless { chapters } => {
            chapter::run(&book, chapters, Mode::Bless)
        }
    }
}

/// Renders the book; a listing that mdBook would silently leave empty is an error here.
fn build(book: &Book) -> anyhow::Result<bool> {
    book.render(&book.dir.join("build"))?;
    println!("built {}", book.dir.join("build/index.html").display());
    Ok(finding::report(&lint::includes::check(book)?))
}

/// Runs every rule and prints what is wrong, and what the rules only count.
fn lint(book: &Book) -> anyhow::Result<bool> {
    let findings = lint::check(book)?;
    println!("{}", lint::counts(book));
    Ok(finding::report(&findings))
}
