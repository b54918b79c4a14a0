//! What a validation program says: lines of the Test Anything Protocol, `ok ..`
//! and `not ok ..`. Its exit status alone means nothing: most end with 0 whatever
//! they have found.
//!
//! Source: testanything.org, "TAP version 13"

use anyhow::{Context, Result};
use std::fmt;
use std::str::FromStr;

/// What one program said of one runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) verdict: Verdict,
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// All it wrote, for a person.
    pub(super) text: String,
}

/// From good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// It found something in order, and nothing that is not.
    Passes,
    /// It asserted nothing.
    Silent,
    /// So many of its lines are `not ok`.
    Fails(usize),
    /// It gave up, without a line that says why.
    GivesUp,
}

impl Said {
    /// Judges the output of a program that ended with status 0, or did not.
    pub(super) fn new(text: String, succeeded: bool) -> Self {
        let count = |word: &str| {
            text.lines().filter(|line| line.starts_with(word)).count()
        };
        let (passed, failed) = (count("ok "), count("not ok "));
        let verdict = match (succeeded, passed, failed) {
            (true, 0, 0) => Verdict::Silent,
            (true, _, 0) => Verdict::Passes,
            (false, _, 0) => Verdict::GivesUp,
            (_, _, failed) => Verdict::Fails(failed),
        };
        Self { verdict, passed, failed, text }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Passes => f.pad("ok"),
            Verdict::Silent => f.pad("-"),
            Verdict::Fails(count) => f.pad(&count.to_string()),
            Verdict::GivesUp => f.pad("exit"),
        }
    }
}

impl FromStr for Verdict {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> Result<Self> {
        Ok(match word {
            "ok" => Verdict::Passes,
            "-" => Verdict::Silent,
            "exit" => Verdict::GivesUp,
            count => Verdict::Fails(count.parse().with_context(|| {
                format!("{word:?} is not ok, -, exit, or a number")
            })?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, Verdict};

    #[test]
    fn a_verdict_is_that_of_the_lines_and_then_of_the_exit_status() {
        for (text, succeeded, verdict) in [
            ("TAP version 13\nok 1 - a\nok 2 # SKIP\n", true, Verdict::Passes),
            ("ok 1 - a\nnot ok 2 - b\n", true, Verdict::Fails(1)),
            ("ok 1 - a\nnot ok 2 - b\n", false, Verdict::Fails(1)),
            ("ok 1 - a\n", false, Verdict::GivesUp),
            ("TAP version 13\n1..0\n", true, Verdict::Silent),
            ("", false, Verdict::GivesUp),
        ] {
            let said = Said::new(text.to_owned(), succeeded);
            assert_eq!(said.verdict, verdict, "{text:?}");
        }
    }

    #[test]
    fn worse_is_greater_and_each_verdict_is_read_as_it_is_written() {
        let all = [
            Verdict::Passes,
            Verdict::Silent,
            Verdict::Fails(1),
            Verdict::Fails(2),
            Verdict::GivesUp,
        ];
        assert!(all.is_sorted_by(|a, b| a < b));
        for verdict in all {
            let read: Verdict = verdict.to_string().parse().unwrap();
            assert_eq!(read, verdict);
        }
    }
}
