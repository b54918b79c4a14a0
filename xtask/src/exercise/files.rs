//! What a started exercise consists of: the task, the program, what the learner
//! edits, the package. Cut from the tested code, at the beginning or in the end.

use super::catalogue::{Exercise, Kind, PROGRAM, pairs};
use super::region::{Cut, cut};
use super::workshop::shown;
use crate::cargo::repository;
use anyhow::{Context, Result};
use std::fs;

/// The files of an exercise, by their paths in its folder.
///
/// # Errors
/// The regions of the source do not match.
pub(crate) fn files<'a>(
    exercise: &'a Exercise,
    which: Cut,
    package: &str,
) -> Result<Vec<(&'a str, String)>> {
    let mut files = vec![("README.md", readme(exercise, package))];
    if exercise.has_program() {
        let code = program(exercise, which)?;
        files.push((PROGRAM, with_own_program(&code, exercise, package)));
    }
    if !exercise.is_program() {
        files.push((&exercise.file, source(exercise, which)?));
    }
    Ok(files)
}

/// The program; all of it if the learner is asked about it, not for it.
fn program(exercise: &Exercise, which: Cut) -> Result<String> {
    if exercise.is_program() {
        return source(exercise, which);
    }
    let file = exercise.source();
    fs::read_to_string(&file).with_context(|| shown(&file))
}

/// What the learner edits, as it is at the beginning or in the end.
///
/// # Errors
/// Its regions do not match.
pub(crate) fn source(exercise: &Exercise, which: Cut) -> Result<String> {
    let answer = exercise.answer.as_deref().unwrap_or_default();
    match (exercise.kind, which) {
        (Kind::Predict, Cut::Starter) => Ok(questions(answer)),
        (Kind::Explain, Cut::Starter) => Ok(String::new()),
        (Kind::Predict | Kind::Explain, Cut::Solution) => Ok(answer.to_owned()),
        (Kind::Fix | Kind::Build | Kind::BreakOut, _) => {
            let file = match exercise.is_program() {
                true => exercise.source(),
                false => exercise.folder.join(&exercise.file),
            };
            let text =
                fs::read_to_string(&file).with_context(|| shown(&file))?;
            cut((&shown(&file), &text), &exercise.id, which)
        }
    }
}

/// `Run:` at the top of the code names the tested program, which is the
/// solution; the learner's has the name of its package.
fn with_own_program(code: &str, exercise: &Exercise, package: &str) -> String {
    let example = exercise.folder.file_name().unwrap_or_default();
    let tested = format!("target/debug/examples/{}", example.display());
    code.replace(&tested, &format!("target/debug/{package}"))
}

/// The answers of a prediction without their values.
fn questions(answer: &str) -> String {
    pairs(answer).map(|(key, _)| format!("{key}: ?\n")).collect()
}

/// A package with the library of stage 1, and what its exercises and those of
/// stage 2 use of others. Nothing that the repository does not use.
pub(crate) fn manifest(package: &str) -> String {
    format!(
        "[package]\nname = \"{package}\"\nversion = \"0.0.0\"\nedition = \
         \"2024\"\n\n[dependencies]\nnamespaces = {{ path = \
         \"{}/01-namespaces\" }}\nanyhow = \"1\"\nnix = \"0.31\"\nrustix = {{ \
         version = \"1\", features = [\"process\", \"pty\", \"termios\"] \
         }}\nserde_json = \"1\"\n\n# A beginning uses less than the \
         end.\n[lints.rust]\nunused = \"allow\"\n",
        repository().display(),
    )
}

fn readme(exercise: &Exercise, package: &str) -> String {
    let Exercise { id, title, kind, minutes, task, .. } = exercise;
    let (name, file) = (kind.name(), &exercise.file);
    let mut text = format!(
        "# {id} {title}\n\n*{name}, about {minutes} minutes; chapter \
         `book/src/{}.md`*\n\n{task}\n\nEdit `{file}`, then\n\n\
         ```sh\ncargo xtask exercise check {id}     # --watch: at every save\n\
         cargo xtask exercise hint {id}      # one more each time\n```\n",
        exercise.chapter
    );
    if *kind != Kind::Predict && exercise.has_program() {
        text += &format!(
            "\n`cargo build` in this folder makes `target/debug/{package}`; the \
             first lines of `src/main.rs` say how to run it.\n"
        );
    }
    if exercise.is_program() {
        text += &format!(
            "Another language will do: `cargo xtask exercise check {id} --bin \
             PROGRAM` asks the same of any program.\n"
        );
    } else if !exercise.has_program() && *kind != Kind::Explain {
        text += "\nThe check runs `imageless`; `--bin RUNTIME` is another OCI \
                 runtime: runc, crun, or yours.\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercise::catalogue::exercises;

    #[test]
    fn what_a_learner_is_told_to_run_is_their_own_program() {
        let mut all = exercises(repository()).unwrap();
        all.retain(Exercise::has_program);
        for exercise in &all {
            for which in [Cut::Starter, Cut::Solution] {
                let code = program(exercise, which).unwrap();
                let code = with_own_program(&code, exercise, "mine");
                assert!(code.contains("target/debug/mine"), "{code}");
                assert!(!code.contains("debug/examples"), "{code}");
            }
        }
    }

    #[test]
    fn a_learner_gets_the_file_to_edit_and_no_package_without_a_program() {
        for exercise in exercises(repository()).unwrap() {
            let files = files(&exercise, Cut::Starter, "mine").unwrap();
            let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
            assert!(names.contains(&&*exercise.file), "{names:?}");
            let has_program = exercise.has_program();
            assert_eq!(names.contains(&PROGRAM), has_program, "{names:?}");
        }
    }
}
