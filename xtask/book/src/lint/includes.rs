//! `{{#include FILE:anchor}}`: what a listing quotes must exist, and be quoted by name.
//!
//! mdBook answers a missing anchor with an empty listing, and a missing file with the raw
//! directive; either way it exits with 0.

use super::anchors;
use crate::book::Book;
use crate::finding::Finding;
use crate::page::{Block, Page};
use anyhow::Result;
use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const BY_NAME: &str =
    "put `// ANCHOR: name` and `// ANCHOR_END: name` around the lines";
const IN_FENCE: &str = "what it brings would be neither checked nor executed";

/// As mdBook reads it; a backslash before it makes it text.
static DIRECTIVE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(\\)?\{\{\s*#(\w+)\s+([^}]+)\}\}").expect("a constant pattern")
});

/// A directive in a fence.
#[derive(Debug)]
pub(crate) struct Quotation {
    /// Where it stands.
    pub(crate) place: (String, usize),
    /// What it does: `include` is the only thing we allow.
    verb: String,
    pub(crate) file: PathBuf,
    /// What follows the first colon; empty if the whole file is quoted.
    pub(crate) anchor: String,
}

impl Quotation {
    /// Tells whether it quotes this file.
    pub(crate) fn is_of(&self, file: &Path) -> bool {
        self.file.canonicalize().is_ok_and(|quoted| quoted == file)
    }
}

/// Every directive that stands in a fence.
pub(crate) fn quotations(book: &Book) -> Vec<Quotation> {
    let in_page = |page| {
        let lines = |block: &Block| -> Vec<Quotation> {
            let numbered = block.lines.iter().zip(block.line + 1..);
            numbered
                .filter_map(|(text, line)| quotation(book, (page, line), text))
                .collect()
        };
        page.blocks.iter().flat_map(lines).collect::<Vec<_>>()
    };
    book.pages.iter().flat_map(in_page).collect()
}

/// Tells whether a block consists of directives only.
pub(crate) fn is_quotation(block: &Block) -> bool {
    let mut lines =
        block.lines.iter().filter(|line| !line.trim().is_empty()).peekable();
    lines.peek().is_some() && lines.all(|line| DIRECTIVE.is_match(line))
}

/// A block as the reader sees it: directives replaced by what they quote.
pub(crate) fn expanded(book: &Book, page: &Page, block: &Block) -> Vec<String> {
    let mut lines = Vec::new();
    for text in &block.lines {
        match quotation(book, (page, 0), text) {
            Some(quotation) => {
                lines.extend(quoted(&quotation).unwrap_or_default())
            }
            None => lines.push(text.clone()),
        }
    }
    lines
}

/// Every quoted file and region exists, and nothing is quoted by line number.
///
/// # Errors
/// None; the type is that of every rule.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    let in_fences = quotations(book)
        .into_iter()
        .filter_map(|quotation| wrong(book, &quotation));
    let mut findings: Vec<_> = in_fences.collect();
    for page in &book.pages {
        for (line, text) in page.prose() {
            let outside = quotation(book, (page, line), text)
                .is_some_and(|q| q.verb != "title");
            if outside && !text.contains('`') {
                findings.push(page.finding(
                    line,
                    "a directive outside a fence".into(),
                    IN_FENCE,
                ));
            }
        }
    }
    Ok(findings)
}

fn wrong(book: &Book, quotation: &Quotation) -> Option<Finding> {
    let (page, line) = &quotation.place;
    let shown = quotation
        .file
        .strip_prefix(&book.source)
        .unwrap_or(&quotation.file)
        .display();
    let finding = |what: String, hint| Finding {
        place: format!("{page}:{line}"),
        what,
        hint,
    };
    if quotation.verb != "include" {
        let what =
            format!("{{{{#{} ..}}}} is not used in this book", quotation.verb);
        return Some(finding(what, "a listing is {{#include FILE:anchor}}"));
    }
    if quotation.anchor.starts_with(|c: char| c.is_ascii_digit() || c == ':') {
        return Some(finding(
            format!("{shown} is quoted by line number"),
            BY_NAME,
        ));
    }
    if !quotation
        .file
        .canonicalize()
        .is_ok_and(|file| file.starts_with(&book.root))
    {
        let hint = "paths start at the page: ../../01-namespaces/src/..";
        return Some(finding(
            format!("{shown}: no such file in the repository"),
            hint,
        ));
    }
    match quoted(quotation) {
        None => {
            let what =
                format!("{shown} has no region ANCHOR: {}", quotation.anchor);
            Some(finding(what, BY_NAME))
        }
        Some(lines) if lines.iter().all(|line| line.trim().is_empty()) => {
            Some(finding(
                format!("{shown}:{} quotes nothing", quotation.anchor),
                BY_NAME,
            ))
        }
        Some(_) => None,
    }
}

/// The lines that a directive brings; `None` if there is no such file or region.
fn quoted(quotation: &Quotation) -> Option<Vec<String>> {
    let text = fs::read_to_string(&quotation.file).ok()?;
    let name = &quotation.anchor;
    if name.is_empty() {
        return Some(text.lines().map(str::to_owned).collect());
    }
    let known =
        anchors::marks(&text).iter().any(|m| m.name == *name && !m.is_end);
    known.then(|| {
        anchors::region(&text, name).into_iter().map(str::to_owned).collect()
    })
}

/// Splits the directive of a line, if there is one that is not escaped, into what it does and
/// with what: `include` and `FILE:anchor`.
pub(crate) fn directive(text: &str) -> Option<(&str, &str)> {
    let found = DIRECTIVE.captures(text)?;
    if found.get(1).is_some() {
        return None;
    }
    let verb = found.get(2)?.as_str();
    Some((verb, found.get(3)?.as_str().split_whitespace().next()?))
}

/// Reads the directive of a line as seen from its page.
fn quotation(
    book: &Book,
    (page, line): (&Page, usize),
    text: &str,
) -> Option<Quotation> {
    let (verb, target) = directive(text)?;
    let (file, anchor) = target.split_once(':').unwrap_or((target, ""));
    let folder =
        book.file(page).parent().expect("a page lies in a folder").to_owned();
    Some(Quotation {
        place: (page.path.clone(), line),
        verb: verb.to_owned(),
        file: folder.join(file),
        anchor: anchor.to_owned(),
    })
}
