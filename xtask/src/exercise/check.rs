//! What is checked of each exercise, and how a failure is told.
//!
//! A check starts the learner's program with a command to execute and looks at
//! that command through the kernel: /proc, mounts, cgroups. What a program
//! prints about itself proves nothing. "Is gone" is only asked of what was seen.

mod answers;
mod bundles;
mod careless;
mod cgroups;
mod entering;
mod filters;
mod handshake;
mod held;
mod joining;
mod losses;
mod memory;
mod mounted;
mod operations;
mod pid_files;
mod pids;
pub(crate) mod proc;
mod roots;
mod runtime;
mod scratch;
mod terminals;
mod users;

use super::catalogue::Exercise;
use anyhow::{Context, Result};
use std::fmt;
use std::path::Path;

/// What is to be checked.
pub(crate) struct Subject<'a> {
    /// The program; empty if the exercise has none.
    pub(crate) program: &'a Path,
    /// Where the learner's answers are.
    pub(crate) folder: &'a Path,
    pub(crate) exercise: &'a Exercise,
}

type Check = fn(&Subject<'_>) -> Result<()>;

/// The check of each exercise, by the name of its folder.
const CHECKS: &[(&str, Check)] = &[
    ("pid-after-unshare", pids::prediction),
    ("proc-too-early", pids::own_proc),
    ("join-by-pidfd", joining::joined),
    ("pin-a-pid-namespace", answers::written),
    ("whose-file", users::prediction),
    ("init-that-reaps", pids::init),
    ("leave-chroot", roots::left),
    ("wall-that-holds", roots::pivoted),
    ("leaked-directory", roots::left),
    ("memory-limit", memory::limited),
    ("bundle-by-hand", bundles::by_hand),
    ("five-operations", operations::prediction),
    ("why-two-verbs", answers::written),
    ("first-handshake", handshake::waits),
    ("pid-file", pid_files::whole),
    ("order-of-losses", losses::ordered),
    ("console-socket", terminals::sent),
    ("one-more-process", entering::prediction),
    ("cwd-outside", careless::stands_outside),
    ("limits-in-config", cgroups::configured),
    ("masked-by-a-link", careless::unmasked),
    ("mask-that-holds", careless::masked),
    ("one-call-less", filters::refuses),
    ("mount-point-outside", careless::made_outside),
    ("five-mounts", mounted::prediction),
];

/// Checks an exercise, claim by claim, up to the first that does not hold.
///
/// # Errors
/// A [`Failure`] if a claim does not hold; else the check could not be made.
pub(crate) fn check(subject: &Subject<'_>) -> Result<()> {
    let name = subject.exercise.name();
    let (_, check) = CHECKS
        .iter()
        .find(|(of, _)| *of == name)
        .with_context(|| format!("{name} has no check"))?;
    check(subject)
}

/// Something that must hold, with what is known about why it does not.
pub(crate) struct Claim {
    /// A sentence; exercise.md declares by it at what the starter fails.
    pub(crate) name: &'static str,
    /// The usual cause.
    pub(crate) likely: &'static str,
    /// Where to read on.
    pub(crate) man: &'static str,
}

impl Claim {
    /// Tells the learner that it holds, or fails with what was seen instead.
    ///
    /// # Errors
    /// A [`Failure`]: the two differ.
    pub(crate) fn same<T: PartialEq + fmt::Display>(
        &'static self,
        expected: &T,
        observed: &T,
    ) -> Result<()> {
        if expected != observed {
            return Err(self.fails(expected, observed));
        }
        println!("ok: {}", self.name);
        Ok(())
    }

    /// Makes the failure of this claim.
    pub(crate) fn fails(
        &'static self,
        expected: impl fmt::Display,
        observed: impl fmt::Display,
    ) -> anyhow::Error {
        let (expected, observed) = (expected.to_string(), observed.to_string());
        Failure { claim: self, expected, observed }.into()
    }
}

/// A claim that does not hold.
#[derive(Debug)]
pub(crate) struct Failure {
    claim: &'static Claim,
    expected: String,
    observed: String,
}

/// How the first line of a failure begins; the claim follows.
pub(crate) const NOT_YET_WORDS: &str = "not yet: ";

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claim { name, likely, man } = self.claim;
        writeln!(f, "{NOT_YET_WORDS}{name}")?;
        writeln!(f, "  expected: {}", self.expected)?;
        writeln!(f, "  observed: {}", self.observed)?;
        writeln!(f, "  likely:   {likely}")?;
        writeln!(f, "  read:     {man}")
    }
}

impl std::error::Error for Failure {}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::CHECKS;
    use crate::cargo::repository;
    use crate::exercise::catalogue::exercises;

    #[test]
    fn every_exercise_has_a_check_and_every_check_an_exercise() {
        let all = exercises(repository()).unwrap();
        let mut names: Vec<_> = all.iter().map(|e| e.name()).collect();
        let mut checked: Vec<_> =
            CHECKS.iter().map(|(name, _)| *name).collect();
        names.sort();
        checked.sort_unstable();
        assert_eq!(names, checked);
    }
}
