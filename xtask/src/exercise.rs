//! `cargo xtask exercise ..`: the book's exercises, cut from tested code.
//!
//! An exercise is a folder among a stage's examples: `exercise.md` says what to
//! do, `main.rs` is the solution that the tests compile. What a learner starts
//! with is cut out of it ([`region`]); a check ([`check`]) asks the kernel.

mod build;
mod catalogue;
mod check;
mod files;
mod judge;
mod prove;
mod region;
mod verbs;
mod watch;
mod workshop;

use anyhow::Result;
use std::path::PathBuf;

/// What to do with exercises.
#[derive(clap::Subcommand)]
pub(crate) enum Exercise {
    /// All exercises: number, kind, minutes, title, the chapter they belong to
    List,
    /// Write an exercise into workshop/ID: its task, and what you begin with
    Start {
        /// Its number, such as 01.7
        id: String,
    },
    /// Compile what you have, run it, and ask the kernel whether it is right
    Check {
        /// Its number; in workshop/ID it may be left out
        id: Option<String>,
        /// Check again whenever you save a file
        #[arg(long, conflicts_with = "bin")]
        watch: bool,
        /// Check a program of your own, in whatever language
        #[arg(long, value_name = "PROGRAM")]
        bin: Option<PathBuf>,
    },
    /// Show one hint more: a nudge, a pointer, nearly the code
    Hint {
        /// Its number; in workshop/ID it may be left out
        id: Option<String>,
    },
    /// Show the solution; your files stay as they are
    Solution {
        /// Its number; in workshop/ID it may be left out
        id: Option<String>,
    },
    /// Start again; what you have is moved to workshop/backup
    Reset {
        /// Its number; in workshop/ID it may be left out
        id: Option<String>,
    },
    /// What you have started, and what is done
    Status,
    /// Show that every starter fails for its reason and every solution passes
    Prove,
    /// Run a check as root: how `check` looks at the program that it has built
    #[command(hide = true)]
    Judge(judge::Args),
}

/// Does what the command line says.
///
/// # Errors
/// What the learner can mend, in one line; a check that is not passed.
pub(crate) fn exercise(exercise: &Exercise) -> Result<()> {
    match exercise {
        Exercise::List => verbs::list(),
        Exercise::Start { id } => verbs::start(id),
        Exercise::Check { id, watch: true, .. } => watch::watch(id.as_deref()),
        Exercise::Check { id, bin, .. } => {
            verbs::check(id.as_deref(), bin.as_deref())
        }
        Exercise::Hint { id } => verbs::hint(id.as_deref()),
        Exercise::Solution { id } => verbs::solution(id.as_deref()),
        Exercise::Reset { id } => verbs::reset(id.as_deref()),
        Exercise::Status => verbs::status(),
        Exercise::Prove => prove::prove(),
        Exercise::Judge(args) => judge::judge(args),
    }
}
