//! Answers in words: predictions, which are compared with what the kernel has
//! just done, and explanations, of which only a person can tell.

use super::{Claim, Subject};
use crate::exercise::catalogue::pairs;
use anyhow::{Context, Result};
use std::fs;

static ANSWERED: Claim = Claim {
    name: "every question is answered",
    likely: "a `?` is left in answers.txt; a guess is worth more than nothing",
    man: "README.md beside it",
};

static PREDICTED: Claim = Claim {
    name: "the kernel does as you said",
    likely: "a surprise, and that is what predictions are for: find out why, \
             then write down what is so",
    man: "man 7 namespaces, man 7 pid_namespaces, man 7 user_namespaces",
};

static WRITTEN: Claim = Claim {
    name: "the explanation is written",
    likely: "answer.md has fewer than twenty words",
    man: "man 7 namespaces",
};

/// Compares answers.txt with what was observed.
///
/// # Errors
/// A [`super::Failure`]: an answer is missing, or not so.
pub(crate) fn compare(
    subject: &Subject<'_>,
    observed: &[(&str, String)],
) -> Result<()> {
    let text = read(subject, "answers.txt")?;
    let answer = |question: &str| {
        let mut lines = pairs(&text);
        lines.find(|(key, _)| *key == question).map_or("?", |(_, value)| value)
    };
    let questions = observed.iter().map(|(question, _)| *question);
    let open: Vec<_> = questions.filter(|q| answer(q) == "?").collect();
    if !open.is_empty() {
        let open = format!("no answer to: {}", open.join(", "));
        return Err(ANSWERED.fails("an answer to each", open));
    }
    ANSWERED.same(&true, &true)?;
    let surprises = observed.iter().filter(|(q, truth)| answer(q) != truth);
    let (said, seen): (Vec<_>, Vec<_>) = surprises
        .map(|(q, truth)| {
            (format!("{q}: {}", answer(q)), format!("{q}: {truth}"))
        })
        .unzip();
    PREDICTED.same(&said.join(", "), &seen.join(", "))
}

/// Looks whether there is an explanation. It does not judge it.
///
/// # Errors
/// A [`super::Failure`]: there is none worth the name.
pub(crate) fn written(subject: &Subject<'_>) -> Result<()> {
    let words = read(subject, "answer.md")?.split_whitespace().count();
    if words < 20 {
        let observed = format!("{words} words in answer.md");
        return Err(WRITTEN.fails("twenty words or more", observed));
    }
    WRITTEN.same(&true, &true)
}

fn read(subject: &Subject<'_>, name: &str) -> Result<String> {
    let file = subject.folder.join(name);
    fs::read_to_string(&file).with_context(|| format!("open({file:?})"))
}
