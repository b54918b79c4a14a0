//! Links and `#fragments`, looked up where a reader clicks them: in the rendered HTML.
//!
//! Only there have headings got their ids. Addresses outside the book are not fetched: a book
//! must be buildable offline; but a page must not fetch anything by itself either.

use crate::book::{Book, files_below};
use crate::finding::Finding;
use crate::page::Page;
use anyhow::Result;
use regex::Regex;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

/// A tag. In text and code `<` is escaped, so this finds tags only.
static TAG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"<[a-zA-Z](?:[^>"]|"[^"]*")*>"#).expect("a constant pattern")
});

static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\s(id|href|src)="([^"]*)""#).expect("a constant pattern")
});

/// The ids of a rendered page.
type Ids = HashSet<String>;

/// Renders the book into a temporary folder and follows every link of every chapter.
///
/// # Errors
/// The book cannot be rendered.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    let out = tempfile::tempdir()?;
    book.render(out.path())?;
    let mut ids: HashMap<PathBuf, Ids> = HashMap::new();
    for file in files_below(out.path(), &[])? {
        let text = fs::read_to_string(&file).unwrap_or_default(); // fonts and images have no ids
        let found = attributes(&text)
            .filter(|(name, _)| name == "id")
            .map(|(_, id)| id);
        ids.insert(file, found.collect());
    }
    let mut findings = Vec::new();
    for page in &book.pages {
        let html = out.path().join(rendered(book, page));
        let text = fs::read_to_string(&html)?;
        let links: HashSet<_> =
            attributes(&text).filter(|(name, _)| name != "id").collect();
        let mut wrong: Vec<_> = links
            .iter()
            .filter_map(|(name, to)| wrong(&ids, &html, (name, to)))
            .collect();
        wrong.sort();
        findings.extend(wrong.into_iter().map(|(to, what)| {
            page.finding(
                line_with(page, &to),
                format!("link to {to}: {what}"),
                "",
            )
        }));
    }
    Ok(findings)
}

/// Why a link leads nowhere, if it does.
fn wrong(
    ids: &HashMap<PathBuf, Ids>,
    page: &Path,
    link: (&str, &str),
) -> Option<(String, String)> {
    let (attribute, to) = link;
    let outside = to.contains("://")
        || to.starts_with("mailto:")
        || to.starts_with("data:");
    if outside {
        let fetched = attribute == "src" && !to.starts_with("data:");
        return fetched
            .then(|| (to.to_owned(), "fetched from a network".to_owned()));
    }
    let (file, fragment) = to.split_once('#').unwrap_or((to, ""));
    let folder = page.parent().expect("a page lies in a folder");
    let target = if file.is_empty() {
        page.to_owned()
    } else {
        plain(&folder.join(file))
    };
    match ids.get(&target) {
        None => Some((
            to.to_owned(),
            "no such page or file in the built book".to_owned(),
        )),
        Some(known) if !fragment.is_empty() && !known.contains(fragment) => {
            Some((
                to.to_owned(),
                format!("the page has no heading or id {fragment:?}"),
            ))
        }
        Some(_) => None,
    }
}

/// The ids and addresses in the tags of a page, with their attribute's name.
fn attributes(html: &str) -> impl Iterator<Item = (String, String)> + '_ {
    TAG.find_iter(html)
        .flat_map(|tag| ATTRIBUTE.captures_iter(tag.as_str()))
        .map(|found| {
            let value = found[2].replace("&amp;", "&").replace("&quot;", "\"");
            (found[1].to_owned(), percent_decoded(&value))
        })
}

/// Undoes `%20` and the like.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = text_of(after.get(..2))
            .and_then(|d| u8::from_str_radix(d, 16).ok());
        match digits.filter(|_| first == b'%') {
            Some(byte) => (bytes.push(byte), rest = &after[2..]),
            None => (bytes.push(first), rest = after),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn text_of(bytes: Option<&[u8]>) -> Option<&str> {
    bytes.and_then(|bytes| std::str::from_utf8(bytes).ok())
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            Component::Prefix(_)
            | Component::RootDir
            | Component::Normal(_) => plain.push(part),
        }
    }
    plain
}

/// Where mdBook puts a page, relative to the rendered book.
fn rendered(book: &Book, page: &Page) -> PathBuf {
    let file = book.file(page);
    let html =
        file.strip_prefix(&book.source).unwrap_or(&file).with_extension("html");
    if html.file_stem().is_some_and(|stem| stem == "README") {
        return html.with_file_name("index.html");
    }
    html
}

/// The line of the source where a link stands, as well as we can tell.
fn line_with(page: &Page, to: &str) -> usize {
    let source = to.replace(".html", ".md");
    let found = page
        .lines
        .iter()
        .position(|line| line.contains(&source) || line.contains(to));
    found.map_or(1, |index| index + 1)
}
