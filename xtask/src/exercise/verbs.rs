//! What a learner types: list, start, check, hint, solution, reset, status.

use super::build::{build, ours};
use super::catalogue::{Exercise, exercises, find};
use super::files::source;
use super::judge::{self, NOT_YET};
use super::region::Cut;
use super::workshop::{Progress, Workshop, shown};
use crate::cargo::repository;
use crate::root::status as run;
use anyhow::{Context, Result, bail};
use std::env;
use std::path::Path;

/// Prints all exercises under the chapters they belong to.
///
/// # Errors
/// An exercise.md is wrong.
pub(crate) fn list() -> Result<()> {
    let mut chapter = String::new();
    for exercise in exercises(repository())? {
        if exercise.chapter != chapter {
            println!("book/src/{}.md", exercise.chapter);
            chapter.clone_from(&exercise.chapter);
        }
        println!("{}", line(&exercise));
    }
    println!("\nBegin with any of them: cargo xtask exercise start 01.1");
    Ok(())
}

fn line(exercise: &Exercise) -> String {
    let Exercise { id, title, kind, minutes, .. } = exercise;
    format!("  {id:<7}{:<11}{minutes:>3} min  {title}", kind.name())
}

/// Writes an exercise into the workshop and says what to do next.
///
/// # Errors
/// No such exercise, or it is there already.
pub(crate) fn start(id: &str) -> Result<()> {
    let exercise = find(exercises(repository())?, id)?;
    let workshop = Workshop::of_learner();
    workshop.start(&exercise, Cut::Starter)?;
    let folder = shown(&workshop.folder(&exercise));
    println!("{}", line(&exercise).trim_start());
    println!("  the task:     {folder}/README.md");
    println!("  you edit:     {folder}/{}", exercise.file);
    println!("  then:         cargo xtask exercise check {id}");
    Ok(())
}

/// Builds and checks, either the learner's package or a program of its own.
///
/// # Errors
/// Not started, not compiled, or not right yet.
pub(crate) fn check(id: Option<&str>, bin: Option<&Path>) -> Result<()> {
    let exercise = chosen(id)?;
    match bin {
        Some(program) => check_program(&exercise, program),
        None => check_package(&exercise),
    }
}

/// Checks what is in the workshop, and notes what came of it.
///
/// # Errors
/// Those of [`check`].
pub(crate) fn check_package(exercise: &Exercise) -> Result<()> {
    let workshop = Workshop::of_learner();
    workshop.require(exercise)?;
    let folder = workshop.folder(exercise);
    let program = build(&workshop, exercise)?;
    let passed = judged(exercise, &folder, program.as_deref())?;
    workshop.note(exercise, passed)?;
    verdict(exercise, passed)
}

/// Checks a program of the learner's own: the one that was to be written, or
/// the OCI runtime that is to do what the learner's file says.
fn check_program(exercise: &Exercise, program: &Path) -> Result<()> {
    if !exercise.is_program() && exercise.has_program() {
        bail!(
            "--bin: in {} there is no program to write, but {}",
            exercise.id,
            exercise.file
        );
    }
    let program = program
        .canonicalize()
        .with_context(|| format!("--bin {}", program.display()))?;
    let workshop = Workshop::of_learner();
    if !exercise.is_program() {
        workshop.require(exercise)?;
    }
    ours(exercise.stage())?;
    let folder = workshop.folder(exercise);
    let passed = judged(exercise, &folder, Some(&program))?;
    verdict(exercise, passed)
}

fn judged(
    exercise: &Exercise,
    folder: &Path,
    program: Option<&Path>,
) -> Result<bool> {
    let status = run(&mut judge::command(exercise, folder, program)?)?;
    match status.code() {
        Some(0) => Ok(true),
        Some(NOT_YET) => Ok(false),
        _ => bail!("the check of {} could not be made: {status}", exercise.id),
    }
}

fn verdict(exercise: &Exercise, passed: bool) -> Result<()> {
    let id = &exercise.id;
    if !passed {
        bail!("{id}: not yet\nhint: cargo xtask exercise hint {id}");
    }
    println!("passed: {id} {}", exercise.title);
    if let Some(criteria) = &exercise.criteria {
        println!(
            "\nNo program can judge an explanation. Read yours against \
             this:\n\n{criteria}"
        );
    }
    Ok(())
}

/// Shows one hint more.
///
/// # Errors
/// Not started.
pub(crate) fn hint(id: Option<&str>) -> Result<()> {
    let exercise = chosen(id)?;
    let (number, all) =
        (Workshop::of_learner().next_hint(&exercise)?, exercise.hints.len());
    println!("hint {number} of {all}\n\n{}", exercise.hints[number - 1]);
    if number == all {
        let id = &exercise.id;
        println!("\nthat was the last: cargo xtask exercise solution {id}");
    }
    Ok(())
}

/// Prints the solution: the code, or the model answer.
///
/// # Errors
/// The source cannot be read.
pub(crate) fn solution(id: Option<&str>) -> Result<()> {
    let exercise = chosen(id)?;
    match &exercise.answer {
        Some(answer) => println!("{answer}"),
        None => print!("{}", source(&exercise, Cut::Solution)?),
    }
    Ok(())
}

/// Puts the beginning back, and the learner's work aside.
///
/// # Errors
/// Not started.
pub(crate) fn reset(id: Option<&str>) -> Result<()> {
    let exercise = chosen(id)?;
    let workshop = Workshop::of_learner();
    let backup = workshop.set_aside(&exercise)?;
    workshop.start(&exercise, Cut::Starter)?;
    println!(
        "{} is as at the beginning; what you had is in {}",
        exercise.id,
        shown(&backup)
    );
    Ok(())
}

/// Prints what is started and done.
///
/// # Errors
/// An exercise.md is wrong.
pub(crate) fn status() -> Result<()> {
    let (all, workshop) = (exercises(repository())?, Workshop::of_learner());
    let mut done = 0;
    for exercise in &all {
        let word = match workshop.progress(exercise) {
            Progress::NotStarted => continue,
            Progress::Started => "started",
            Progress::Done => "done",
        };
        done += usize::from(word == "done");
        println!("{word:<8}{}", line(exercise));
    }
    println!("{done} of {} done", all.len());
    Ok(())
}

/// The exercise that is meant: by its number, or by the folder we stand in.
///
/// # Errors
/// No such exercise, or no number and another folder.
pub(crate) fn chosen(id: Option<&str>) -> Result<Exercise> {
    let all = exercises(repository())?;
    if let Some(id) = id {
        return find(all, id);
    }
    let workshop = Workshop::of_learner();
    let here = env::current_dir()?;
    all.into_iter()
        .find(|exercise| here.starts_with(workshop.folder(exercise)))
        .context(
            "which exercise?\nhint: give its number, as in `check 01.1`, or \
             stand in its folder of workshop",
        )
}
