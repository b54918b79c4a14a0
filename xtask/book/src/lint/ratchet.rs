//! The number of console blocks that nobody executes may only fall.
//!
//! It is checked in (`book/norun.limit`), so that a new `norun` is a line in a review.

use crate::book::Book;
use crate::finding::Finding;
use crate::transcript::consoles;
use anyhow::{Context, Result};
use std::fs;
use std::io::ErrorKind;

const FILE: &str = "book/norun.limit";

/// How many console blocks of the book are tagged `norun`.
pub(crate) fn not_run(book: &Book) -> usize {
    let blocks = book.pages.iter().flat_map(consoles);
    blocks.filter(|block| block.info.attribute("norun").is_some()).count()
}

/// Compares their number with the limit: no more, and no fewer either.
///
/// # Errors
/// The limit is not a number.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    let file = book.root.join(FILE);
    let limit: usize = match fs::read_to_string(&file) {
        Ok(text) => {
            text.trim().parse().with_context(|| format!("{FILE}: {text:?}"))?
        }
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(error) => {
            return Err(error).with_context(|| format!("{FILE}: read"));
        }
    };
    let count = not_run(book);
    let hint = match count.cmp(&limit) {
        std::cmp::Ordering::Equal => return Ok(Vec::new()),
        std::cmp::Ordering::Less => "good: write the lower number into it",
        std::cmp::Ordering::Greater => {
            "make the block run; raise the limit only with a reason"
        }
    };
    let what = format!(
        "{count} console blocks are tagged norun, the limit is {limit}"
    );
    Ok(vec![Finding { place: format!("{FILE}:1"), what, hint }])
}
