//! `cargo xtask exercise prove`: what learners begin with fails its check for
//! the declared reason, and every solution passes. CI runs it.

use super::build::{built, in_workshop, ours};
use super::catalogue::{Exercise, exercises};
use super::check::NOT_YET_WORDS;
use super::judge::{self, NOT_YET};
use super::region::Cut;
use super::workshop::Workshop;
use crate::cargo::{Profile, binaries, repository};
use crate::progress::step;
use crate::root::{search_path, succeed};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// Proves all exercises: first every starter, then every solution.
///
/// # Errors
/// A region is wrong, a text does not compile, a verdict is not as declared.
pub(crate) fn prove() -> Result<()> {
    let all = exercises(repository())?;
    let highest = all.iter().map(Exercise::stage).max().unwrap_or_default();
    step("build our own programs", || ours(highest))?;
    let mut wrong = prove_all(&all, Cut::Starter)?;
    wrong.extend(prove_all(&all, Cut::Solution)?);
    for complaint in &wrong {
        eprintln!("{complaint}");
    }
    if !wrong.is_empty() {
        bail!("{} exercises are not as declared", wrong.len());
    }
    println!("{} exercises proven", all.len());
    Ok(())
}

/// Writes one text of every exercise, builds all at once, checks each.
fn prove_all(all: &[Exercise], which: Cut) -> Result<Vec<String>> {
    let name = match which {
        Cut::Starter => "starter",
        Cut::Solution => "solution",
    };
    let debug = binaries(Profile::Dev)?;
    let root = debug.with_file_name("exercises").join(name);
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    let workshop = Workshop::at(root, name);
    for exercise in all {
        workshop.start(exercise, which)?;
    }
    step(&format!("build every {name}"), || {
        succeed(&mut in_workshop(workshop.root())?)
    })?;
    step(&format!("check every {name}"), || {
        let one = |exercise| complaint(&workshop, exercise, which).transpose();
        all.iter().filter_map(one).collect()
    })
}

/// Checks one text, and tells what is wrong with the verdict. A solution is
/// checked a second time with the reference in its place, if there is one.
fn complaint(
    workshop: &Workshop,
    exercise: &Exercise,
    which: Cut,
) -> Result<Option<String>> {
    let program = match exercise.has_program() {
        true => Some(built(workshop, exercise)?),
        false => None,
    };
    let folder = workshop.folder(exercise);
    let wrong = judged((&folder, program.as_deref()), exercise, which)?;
    match &exercise.reference {
        Some(name) if which == Cut::Solution && wrong.is_none() => {
            judged((&folder, Some(&found(name)?)), exercise, which)
        }
        _ => Ok(wrong),
    }
}

fn judged(
    (folder, program): (&Path, Option<&Path>),
    exercise: &Exercise,
    which: Cut,
) -> Result<Option<String>> {
    let mut judge = judge::command(exercise, folder, program)?;
    // What a starter's program complains about is expected.
    let output = judge.stderr(Stdio::piped()).output().context("judge")?;
    let verdict = Verdict::of(&output);
    let name = program.and_then(Path::file_name).unwrap_or_default();
    let (id, name) = (&exercise.id, name.to_string_lossy());
    println!("    {id:<7}{name:<18}{}", verdict.word());
    Ok(verdict.against(exercise, which).map(|why| {
        let told = String::from_utf8_lossy(&output.stdout);
        let more = String::from_utf8_lossy(&output.stderr);
        format!("{id}: {name}: {why}\n{told}{more}")
    }))
}

/// A program of this machine.
fn found(name: &str) -> Result<PathBuf> {
    let mut files = search_path().into_iter().map(|dir| dir.join(name));
    files.find(|file| file.is_file()).with_context(|| {
        format!("{name} is not here\nhint: cargo xtask packages installs it")
    })
}

/// What a check has said.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    /// Failed at this claim.
    NotYet(String),
    /// Could not be made.
    Broken,
}

impl Verdict {
    fn of(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout);
        let claim = text.lines().find_map(|l| l.strip_prefix(NOT_YET_WORDS));
        match (output.status.code(), claim) {
            (Some(0), None) => Self::Passed,
            (Some(NOT_YET), Some(claim)) => Self::NotYet(claim.to_owned()),
            _ => Self::Broken,
        }
    }

    fn word(&self) -> String {
        match self {
            Self::Passed => "passes".into(),
            Self::NotYet(claim) => format!("fails: {claim}"),
            Self::Broken => "breaks the check".into(),
        }
    }

    /// Why this is not the verdict that the text must get, if it is not.
    fn against(&self, exercise: &Exercise, which: Cut) -> Option<String> {
        let declared = &exercise.fails;
        match (which, self) {
            (Cut::Solution, Self::Passed) => None,
            (Cut::Starter, Self::NotYet(claim)) if claim == declared => None,
            (Cut::Solution, other) => {
                Some(format!("the solution {}", other.word()))
            }
            (Cut::Starter, other) => Some(format!(
                "the starter {}; declared in exercise.md is `fails: {declared}`",
                other.word()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn exercise() -> Exercise {
        let all = exercises(repository()).unwrap();
        let first = all.into_iter().next().expect("there are exercises");
        Exercise { fails: "it holds".into(), ..first }
    }

    fn said(script: &str) -> Verdict {
        Verdict::of(&Command::new("sh").args(["-c", script]).output().unwrap())
    }

    #[test]
    fn a_starter_that_passes_is_wrong() {
        let wrong = said("exit 0").against(&exercise(), Cut::Starter).unwrap();
        assert!(wrong.starts_with("the starter passes; declared"), "{wrong}");
    }

    #[test]
    fn a_starter_has_to_fail_for_its_declared_reason() {
        let not_yet = said("echo 'ok: a'; echo 'not yet: it holds'; exit 3");
        assert_eq!(not_yet.against(&exercise(), Cut::Starter), None);
        assert!(not_yet.against(&exercise(), Cut::Solution).is_some());
        let other = said("echo 'not yet: it runs'; exit 3");
        assert!(other.against(&exercise(), Cut::Starter).is_some());
    }

    #[test]
    fn a_check_that_breaks_proves_nothing() {
        for script in ["exit 1", "kill $$", "exit 3", "echo 'not yet: x'"] {
            for which in [Cut::Starter, Cut::Solution] {
                let verdict = said(script);
                assert_eq!(verdict, Verdict::Broken, "{script}");
                assert!(verdict.against(&exercise(), which).is_some());
            }
        }
    }
}
