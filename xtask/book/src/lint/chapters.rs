//! Chapters: every page is in SUMMARY.md, and a missing page is an error.

use crate::book::Book;
use crate::finding::Finding;
use anyhow::Result;
use std::collections::HashSet;

/// Compares book.toml, SUMMARY.md and the folder of pages.
///
/// # Errors
/// `book/src` cannot be read.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if book.config.build.create_missing {
        findings.push(Finding {
            place: "book/book.toml:1".into(),
            what: "create-missing is not false".into(),
            hint: "[build] create-missing = false: else a missing chapter is an empty page",
        });
    }
    let named: HashSet<_> =
        book.pages.iter().map(|page| book.file(page)).collect();
    for file in book.markdown_files()? {
        if !named.contains(&book.source.join(&file)) {
            findings.push(Finding {
                place: "book/src/SUMMARY.md:1".into(),
                what: format!("{} is not in it", file.display()),
                hint: "name it, or remove the file: nobody can read it",
            });
        }
    }
    Ok(findings)
}
