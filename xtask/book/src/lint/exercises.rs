//! Exercises: what a page tells the reader to start exists, and no exercise is without a page.
//!
//! An exercise names its chapter. Until that is written, any other page may name the exercise.

use crate::book::Book;
use crate::finding::Finding;
use anyhow::Result;
use std::fs;
use std::path::Path;

/// How a page names an exercise; its number follows.
const START: &str = "cargo xtask exercise start ";

/// What of an `exercise.md` matters to the book.
pub(crate) struct Exercise {
    pub(crate) place: String,
    pub(crate) id: String,
    chapter: String,
    /// As it is written; whether that is a number, `schedule` has to tell.
    pub(crate) minutes: String,
}

/// Compares the exercises with the pages, both ways.
///
/// # Errors
/// A folder cannot be read.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    let exercises = exercises(&book.root)?;
    let mut findings = Vec::new();
    for page in &book.pages {
        for (line, id) in page.spans.iter().filter_map(started) {
            if !exercises.iter().any(|exercise| exercise.id == id) {
                let what = format!("there is no exercise {id}");
                let hint = "`cargo xtask exercise list` shows all";
                findings.push(page.finding(line, what, hint));
            }
        }
    }
    let forgotten = exercises.iter().filter(|e| !is_named(book, e));
    findings.extend(forgotten.map(|exercise| Finding {
        place: exercise.place.clone(),
        what: format!(
            "{} does not name exercise {}",
            exercise.chapter, exercise.id
        ),
        hint: "write `cargo xtask exercise start ID` into that chapter",
    }));
    Ok(findings)
}

fn started((line, span): &(usize, String)) -> Option<(usize, &str)> {
    span.strip_prefix(START).map(|id| (*line, id.trim()))
}

fn is_named(book: &Book, exercise: &Exercise) -> bool {
    let written = book.pages.iter().any(|p| p.name() == exercise.chapter);
    let mut pages =
        book.pages.iter().filter(|p| !written || p.name() == exercise.chapter);
    pages.any(|page| {
        let mut all = page.spans.iter().filter_map(started);
        all.any(|(_, id)| id == exercise.id)
    })
}

/// Reads every `STAGE/examples/NAME/exercise.md`.
///
/// # Errors
/// A folder cannot be read.
pub(crate) fn exercises(root: &Path) -> Result<Vec<Exercise>> {
    let mut found = Vec::new();
    for stage in fs::read_dir(root)? {
        // Most folders have no examples, and most examples are no exercise.
        let Ok(examples) = fs::read_dir(stage?.path().join("examples")) else {
            continue;
        };
        for example in examples {
            let file = example?.path().join("exercise.md");
            let Ok(text) = fs::read_to_string(&file) else { continue };
            let shown = file.strip_prefix(root).unwrap_or(&file).display();
            let value = |key: &str| {
                let mut lines = text.lines();
                lines
                    .find_map(|l| l.strip_prefix(key))
                    .unwrap_or_default()
                    .into()
            };
            let (id, chapter) = (value("id: "), value("chapter: "));
            let (place, minutes) = (format!("{shown}:1"), value("minutes: "));
            found.push(Exercise { place, id, chapter, minutes });
        }
    }
    found.sort_by(|a, b| a.place.cmp(&b.place));
    Ok(found)
}
