//! Anchors in the sources: `// ANCHOR: name` .. `// ANCHOR_END: name`, the regions pages quote.
//!
//! An anchor that no page quotes is noise for whoever reads the code; mdBook would not tell.

use super::includes::{self, Quotation};
use crate::book::{Book, files_below};
use crate::finding::Finding;
use anyhow::Result;
use regex::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Files that may hold anchors without being quoted yet.
const SOURCES: &[&str] = &["rs", "toml", "json", "proto", "sh", "yml", "yaml"];

/// Folders without sources of the stages: what is generated, and what quotes.
const APART: &[&str] =
    &["target", ".git", "workshop", "book/src", "book/build", "xtask/book"];

/// As mdBook reads it.
static MARK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"ANCHOR(_END)?:\s*([\w-]+)").expect("a constant pattern")
});

/// A line that begins or ends a region.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Counted from 0.
    pub(crate) line: usize,
    pub(crate) name: String,
    pub(crate) is_end: bool,
}

/// The marks of a file, in order.
pub(crate) fn marks(text: &str) -> Vec<Mark> {
    let mark = |(line, text)| {
        let found = MARK.captures(text)?;
        Some(Mark {
            line,
            name: found[2].to_owned(),
            is_end: found.get(1).is_some(),
        })
    };
    text.lines().enumerate().filter_map(mark).collect()
}

/// The lines of a region, as mdBook quotes them: without any mark.
pub(crate) fn region<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let marks = marks(text);
    let at = |is_end| {
        marks
            .iter()
            .find(|m| m.name == name && m.is_end == is_end)
            .map(|m| m.line)
    };
    let (Some(begin), Some(end)) = (at(false), at(true)) else {
        return Vec::new();
    };
    let inner = text.lines().take(end).skip(begin + 1);
    inner.filter(|line| !MARK.is_match(line)).collect()
}

/// Every region is closed, not empty, the only one of its name in the file, and quoted.
///
/// # Errors
/// A source file cannot be read.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    let quoted: Vec<Quotation> = includes::quotations(book);
    let apart: Vec<_> = APART.iter().map(|dir| book.root.join(dir)).collect();
    let mut files: BTreeSet<PathBuf> =
        files_below(&book.root, &apart)?.into_iter().collect();
    files.retain(|f| {
        f.extension().is_some_and(|e| SOURCES.iter().any(|s| e == *s))
    });
    files.extend(
        quoted
            .iter()
            .filter_map(|quotation| quotation.file.canonicalize().ok()),
    );
    let mut findings = Vec::new();
    for file in files {
        // A file that is not text has no anchors; a quotation of it is reported by `includes`.
        let text = fs::read_to_string(&file).unwrap_or_default();
        let shown = file.strip_prefix(&book.root).unwrap_or(&file);
        for mark in &marks(&text) {
            let wanted =
                |q: &Quotation| q.anchor == mark.name && q.is_of(&file);
            if let Some((what, hint)) =
                wrong(&text, mark, quoted.iter().any(wanted))
            {
                findings.push(finding(shown, mark, &what, hint));
            }
        }
    }
    Ok(findings)
}

/// What is wrong with a mark, if anything is.
fn wrong(
    text: &str,
    mark: &Mark,
    quoted: bool,
) -> Option<(String, &'static str)> {
    let marks = marks(text);
    let same = |is_end| {
        marks.iter().filter(move |m| m.name == mark.name && m.is_end == is_end)
    };
    let name = &mark.name;
    if mark.is_end {
        let orphan = !same(false).any(|begin| begin.line < mark.line);
        return orphan
            .then(|| (format!("ANCHOR_END: {name} ends nothing"), ""));
    }
    if same(false).count() > 1 || same(true).count() > 1 {
        return Some((
            format!("ANCHOR: {name} is not the only one in this file"),
            "rename one",
        ));
    }
    if !same(true).any(|end| end.line > mark.line) {
        let hint =
            "close it with ANCHOR_END, or mdBook quotes the rest of the file";
        return Some((format!("ANCHOR: {name} is never closed"), hint));
    }
    if region(text, name).iter().all(|line| line.trim().is_empty()) {
        return Some((format!("ANCHOR: {name} holds nothing"), "remove it"));
    }
    (!quoted).then(|| {
        (format!("ANCHOR: {name} is not quoted by any page"), "remove it")
    })
}

fn finding(
    file: &Path,
    mark: &Mark,
    what: &str,
    hint: &'static str,
) -> Finding {
    let place = format!("{}:{}", file.display(), mark.line + 1);
    Finding { place, what: what.to_owned(), hint }
}
