//! `schedule`: what fits into a workshop, from the minutes that the chapters
//! and the exercises give themselves. A chapter that grows must not make a
//! day too long without anybody noticing: a plan that is over is an error.

mod plans;

use crate::book::Book;
use crate::lint::exercises;
use anyhow::{Context, Result, ensure};
use plans::{PLANS, Plan};
use std::fs;

/// A chapter or an exercise, and its minutes.
type Item = (String, u32);

/// Prints every plan, and tells whether all are within their time.
///
/// # Errors
/// A plan names what is not there, or what gives no minutes.
pub(crate) fn schedule(book: &Book) -> Result<bool> {
    let mut within = true;
    for plan in PLANS {
        let items = items(book, plan)?;
        println!("{}", plan.name);
        for (name, minutes) in &items {
            println!("  {minutes:>4} min  {name}");
        }
        let (line, fits) = verdict(plan, &items);
        println!("{line}\n");
        within &= fits;
    }
    Ok(within)
}

fn items(book: &Book, plan: &Plan) -> Result<Vec<Item>> {
    let exercises = exercises::exercises(&book.root)?;
    let chapter = |name: &&str| {
        let path = book.dir.join("src").join(format!("{name}.md"));
        let text = fs::read_to_string(&path)
            .with_context(|| path.display().to_string())?;
        Ok((name.to_string(), chapter_minutes(name, &text)?))
    };
    let exercise = |id: &&str| {
        let mut all = exercises.iter();
        let found = all.find(|exercise| exercise.id == *id);
        let found = found.with_context(|| format!("no exercise {id}"))?;
        let minutes = found.minutes.parse().with_context(|| {
            format!("{}: no `minutes: NUMBER`", found.place)
        })?;
        Ok((format!("exercise {id}"), minutes))
    };
    let chapters = plan.chapters.iter().map(chapter);
    chapters.chain(plan.exercises.iter().map(exercise)).collect()
}

/// Adds up the `<!-- minutes: N -->` of a chapter's sections.
fn chapter_minutes(name: &str, text: &str) -> Result<u32> {
    let comments = text.lines().filter_map(|line| {
        line.strip_prefix("<!-- minutes: ")?.strip_suffix(" -->")
    });
    let mut sum = 0;
    for minutes in comments {
        sum += minutes
            .parse::<u32>()
            .with_context(|| format!("{name}: minutes: {minutes:?}"))?;
    }
    ensure!(sum > 0, "{name} has no `<!-- minutes: N -->`");
    Ok(sum)
}

/// The plan's last line, and whether it is within its time.
fn verdict(plan: &Plan, items: &[Item]) -> (String, bool) {
    let sum: u32 = items.iter().map(|(_, minutes)| minutes).sum();
    let Plan { name, minutes, .. } = plan;
    match sum.checked_sub(*minutes) {
        None | Some(0) => (format!("  {sum:>4} of {minutes} min"), true),
        Some(over) => {
            (format!("{name}: {sum} of {minutes} min: {over} over"), false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan =
        Plan { name: "an hour", minutes: 60, chapters: &[], exercises: &[] };

    #[test]
    fn a_plan_that_is_over_fails_and_tells_by_how_much() {
        let full = [("a".to_owned(), 40), ("b".to_owned(), 20)];
        assert!(verdict(&PLAN, &full).1);
        let over = [("a".to_owned(), 40), ("b".to_owned(), 27)];
        let (line, fits) = verdict(&PLAN, &over);
        assert!(!fits && line.ends_with("67 of 60 min: 7 over"), "{line}");
    }

    #[test]
    fn a_chapter_without_minutes_fails() {
        let two = "<!-- minutes: 5 -->\ntext\n<!-- minutes: 10 -->\n";
        assert_eq!(chapter_minutes("x", two).unwrap(), 15);
        let error = chapter_minutes("x", "text\n").unwrap_err().to_string();
        assert!(error.starts_with("x has no"), "{error}");
    }
}
