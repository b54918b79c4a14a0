//! The table of what is expected, and why where it is not the best: checked in,
//! so that a program which gets worse is seen, and one which gets better is
//! written down.

use super::tap::Verdict;
use anyhow::{Context, Result};

const TABLE: &str = include_str!("../../conformance/runtime.txt");

/// What to expect of one program.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) program: String,
    pub(super) runc: Verdict,
    pub(super) ours: Verdict,
    /// Empty if both pass.
    pub(super) why: String,
}

/// Reads it: `program runc ours why..`, and comments.
///
/// # Errors
/// The line that is not of this form.
pub(super) fn read() -> Result<Vec<Row>> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            row(line)
                .with_context(|| format!("conformance/runtime.txt: {line}"))
        })
        .collect()
}

fn row(line: &str) -> Result<Row> {
    let mut words = line.split_whitespace();
    let mut word = || words.next().context("program, runc and ours are asked");
    let (program, runc, ours) = (word()?, word()?, word()?);
    Ok(Row {
        program: program.to_owned(),
        runc: runc.parse()?,
        ours: ours.parse()?,
        why: words.collect::<Vec<_>>().join(" "),
    })
}

#[cfg(test)]
mod tests {
    use super::{Row, Verdict, read};

    #[test]
    fn each_program_that_does_not_pass_has_a_reason() {
        for row in read().unwrap() {
            let passes = [row.runc, row.ours] == [Verdict::Passes; 2];
            assert_eq!(row.why.is_empty(), passes, "{row:?}");
        }
    }

    #[test]
    fn the_book_has_the_numbers_of_the_table() {
        let rows = read().unwrap();
        let ok = |of: fn(&Row) -> Verdict| {
            rows.iter().filter(|row| of(row) == Verdict::Passes).count()
        };
        let (runc, ours) = (ok(|row| row.runc), ok(|row| row.ours));
        let said = format!("passes {runc} of them and imageless {ours};");
        let page = include_str!("../../../book/src/02-runtime.md");
        assert!(page.contains(&said), "{said}");
    }

    #[test]
    fn the_programs_are_in_order() {
        let rows = read().unwrap();
        assert!(rows.is_sorted_by(|a, b| a.program < b.program));
    }

    #[test]
    fn where_ours_is_worse_than_runc_it_refuses() {
        for row in read().unwrap() {
            let known = row.why.contains(" is refused");
            assert!(row.ours <= row.runc || known, "{row:?}");
        }
    }
}
