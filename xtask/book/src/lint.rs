//! `lint`: what a page says about the sources must be so, and a reader must be able to read it.
//!
//! Each rule is a function over the whole book, and has a fixture in `tests/lint.rs` that breaks
//! it. What needs a machine (console blocks) is the runner's.

mod anchors;
mod chapters;
pub(crate) mod exercises;
mod images;
pub(crate) mod includes;
mod links;
mod listings;
mod names;
pub(crate) mod ratchet;

use crate::book::Book;
use crate::finding::Finding;
use crate::states;
use crate::transcript::{Transcript, consoles};
use anyhow::Result;

/// Looks at the whole book for one kind of mistake.
type Rule = fn(&Book) -> Result<Vec<Finding>>;

/// Every rule there is; the slowest, which renders the book, is last.
const RULES: &[Rule] = &[
    chapters::check,
    exercises::check,
    includes::check,
    anchors::check,
    listings::check,
    transcripts,
    ratchet::check,
    names::check,
    images::check,
    states::check,
    links::check,
];

/// Applies every rule.
///
/// # Errors
/// A source file, or the book, cannot be read.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for rule in RULES {
        findings.extend(rule(book)?);
    }
    Ok(findings)
}

/// What is allowed, but not without being seen.
pub(crate) fn counts(book: &Book) -> String {
    let blocks = || book.pages.iter().flat_map(|page| &page.blocks);
    let sketches =
        blocks().filter(|block| block.info.has(listings::SKETCH)).count();
    format!(
        "{} chapters, {} listings quoted, {sketches} sketches, {} console blocks, {} not run",
        book.pages.len(),
        blocks().filter(|block| includes::is_quotation(block)).count(),
        book.pages.iter().flat_map(consoles).count(),
        ratchet::not_run(book),
    )
}

/// Every console block can be read; executing it is another command.
fn transcripts(book: &Book) -> Result<Vec<Finding>> {
    let parse =
        |page| consoles(page).filter_map(|b| Transcript::parse(page, b).err());
    Ok(book.pages.iter().flat_map(parse).collect())
}
