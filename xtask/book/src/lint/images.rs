//! Images: described for whoever cannot see them, and none that no page shows.
//!
//! That the file of an image exists is a rule of `links`, which looks at the rendered book.

use crate::book::{Book, files_below};
use crate::finding::Finding;
use crate::page::{Image, Page};
use anyhow::{Context, Result};
use regex::Regex;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// What a drawing must have, as a pattern, and what for.
const MARKS: [(&str, &str, &str); 3] = [
    (
        r"<svg\s[^>]*viewBox=",
        "no viewBox",
        "without it the drawing does not shrink with the page",
    ),
    (
        r"<title>\s*\S[^<]*</title>",
        "no <title>",
        "say in a few words what it shows: a screen reader reads it",
    ),
    (
        r#"<rect\s[^>]*fill="(?:#fff|#ffffff|white)""#,
        "no background",
        "begin with a white <rect> over all of it: half of the themes are dark",
    ),
];

static PATTERNS: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    MARKS.map(|(pattern, ..)| Regex::new(pattern).expect("a constant pattern"))
});

/// Looks at every image of every page, and at every drawing in the folder.
///
/// # Errors
/// The folder of the pages, or a drawing, cannot be read.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    let mut findings = undescribed(book);
    let shown = shown(book);
    for file in files_below(&book.source, &[])? {
        if !is_svg(&file) {
            continue;
        }
        if !file.canonicalize().is_ok_and(|file| shown.contains(&file)) {
            let hint = "show it, with ![what it says](img/..), or remove it";
            findings.push(wrong(book, &file, "shown by no page", hint));
        }
        let text = fs::read_to_string(&file)
            .with_context(|| format!("{}", file.display()))?;
        for (pattern, (_, what, hint)) in PATTERNS.iter().zip(MARKS) {
            if !pattern.is_match(&text) {
                findings.push(wrong(book, &file, what, hint));
            }
        }
    }
    Ok(findings)
}

/// Images without words in their square brackets.
fn undescribed(book: &Book) -> Vec<Finding> {
    let of_page = |page: &Page| {
        let silent = page.images.iter().filter(|i| i.alt.trim().is_empty());
        let finding = |image: &Image| {
            page.finding(
                image.line,
                format!("image {} without a description", image.target),
                "say between the brackets what can be seen in it",
            )
        };
        silent.map(finding).collect::<Vec<_>>()
    };
    book.pages.iter().flat_map(of_page).collect()
}

/// The files of all images, as far as they exist.
fn shown(book: &Book) -> Vec<PathBuf> {
    let of_page = |page: &Page| {
        let page_file = book.file(page);
        let folder = page_file.parent().expect("a page lies in a folder");
        let files = page.images.iter().map(|image| folder.join(&image.target));
        files.filter_map(|file| file.canonicalize().ok()).collect::<Vec<_>>()
    };
    book.pages.iter().flat_map(of_page).collect()
}

fn is_svg(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "svg")
}

fn wrong(book: &Book, file: &Path, what: &str, hint: &'static str) -> Finding {
    let file = file.strip_prefix(&book.root).unwrap_or(file).display();
    Finding { place: format!("{file}:1"), what: what.into(), hint }
}
