//! Fences: each has a language, Rust is quoted from tested code, and a listing fits on paper.

use super::includes;
use crate::book::Book;
use crate::finding::Finding;
use crate::page::{Block, Page};
use anyhow::Result;

/// The tag of Rust code that stands on the page only; `lint` counts them.
pub(crate) const SKETCH: &str = "sketch";

/// A page of a printed book, and what a reader keeps in mind at once.
const MOST_LINES: usize = 30;
const MOST_COLUMNS: usize = 80;

/// A program's message cannot be wrapped by whoever quotes it; on paper it breaks once.
const MOST_SHOWN: usize = 120;

/// Looks at every fence of the book.
///
/// # Errors
/// None; the type is that of every rule.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for page in &book.pages {
        for block in &page.blocks {
            findings.extend(origin(page, block));
            findings.extend(size(book, page, block));
        }
    }
    Ok(findings)
}

/// What kind of text a block is, and where its Rust comes from.
fn origin(page: &Page, block: &Block) -> Option<Finding> {
    let language = block.info.language.as_str();
    if language.is_empty() {
        let hint = "open it with ```text, ```console, ```rust, ..; indented code has none";
        return Some(page.finding(
            block.line,
            "a code block without a language".into(),
            hint,
        ));
    }
    let written = language == "rust" && !includes::is_quotation(block);
    (written && !block.info.has(SKETCH)).then(|| {
        let hint =
            "quote it: {{#include ../../..:anchor}}, or tag it ```rust,sketch";
        page.finding(block.line, "Rust that no compiler has seen".into(), hint)
    })
}

/// A block, as the reader sees it, is neither too long nor too wide.
fn size(book: &Book, page: &Page, block: &Block) -> Option<Finding> {
    let lines = includes::expanded(book, page, block);
    if lines.len() > MOST_LINES {
        let what = format!(
            "a listing of {} lines; {MOST_LINES} are the most",
            lines.len()
        );
        return Some(page.finding(
            block.line,
            what,
            "divide it, and say something in between",
        ));
    }
    let (most, hint) = match block.info.language.as_str() {
        "console" => (MOST_SHOWN, "let the command print less: -o, cut, fold"),
        _ => (MOST_COLUMNS, "wrap the line in the source"),
    };
    let wide = lines.iter().find(|line| line.chars().count() > most)?;
    let (columns, wide) = (wide.chars().count(), wide.trim());
    let what = format!(
        "{columns} columns in a listing; {most} are the most: {wide:?}"
    );
    Some(page.finding(block.line, what, hint))
}
