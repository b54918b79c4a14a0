//! Names in prose: `` `namespaces::mounts::plan` `` must be an item of the sources.
//!
//! The resolution is simple and honest: the path is followed through module files and inline
//! modules, and the last file must declare, or re-export, the item. No compiler is asked.

use crate::book::{Book, files_below};
use crate::finding::Finding;
use anyhow::Result;
use regex::Regex;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const HINT: &str = "write crate::module::item as in the sources; `std::..` and crates of \
    Cargo.toml are not looked up";

/// A path of lower-case modules that ends in any item, perhaps called.
static PATH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[a-z_][a-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)+(?:\(\))?!?$")
        .expect("constant")
});

static USE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)\bpub(?:\([a-z]+\))? use\s+[^;]+;").expect("constant")
});

/// The sources of a crate.
struct Crate {
    /// `lib.rs` or `main.rs`, and the programs under `bin`.
    roots: Vec<PathBuf>,
    /// All of its Rust, for methods and variants: an `impl` may stand in another file.
    text: String,
}

/// Looks every path in prose up.
///
/// # Errors
/// A source file cannot be read.
pub(crate) fn check(book: &Book) -> Result<Vec<Finding>> {
    let crates = crates(&book.root)?;
    let manifest =
        fs::read_to_string(book.root.join("Cargo.toml")).unwrap_or_default();
    let mut findings = Vec::new();
    for page in &book.pages {
        for (line, span) in
            page.spans.iter().filter(|(_, span)| PATH.is_match(span))
        {
            let path = span.trim_end_matches('!').trim_end_matches("()");
            let segments: Vec<_> = path.split("::").collect();
            if let Some(what) = unknown(&crates, &manifest, &segments) {
                findings.push(page.finding(
                    *line,
                    format!("`{span}`: {what}"),
                    HINT,
                ));
            }
        }
    }
    Ok(findings)
}

/// Why a path leads nowhere, if it does.
fn unknown(
    crates: &HashMap<String, Crate>,
    manifest: &str,
    path: &[&str],
) -> Option<String> {
    let Some(ours) = crates.get(path[0]) else {
        let dashed = path[0].replace('_', "-");
        let foreign = |name: &str| manifest.contains(&format!("\n{name} ="));
        let known = ["std", "core", "alloc"].contains(&path[0]);
        let known = known || foreign(path[0]) || foreign(&dashed);
        return (!known).then(|| format!("no crate {}", path[0]));
    };
    let found = ours
        .roots
        .iter()
        .any(|root| resolves(root, &module_folder(root), &path[1..], ours));
    (!found).then(|| format!("no such item in crate {}", path[0]))
}

/// Follows a path from a module's file; the files of its children lie in `folder`.
fn resolves(file: &Path, folder: &Path, path: &[&str], ours: &Crate) -> bool {
    let Some((&name, rest)) = path.split_first() else { return true };
    let children =
        [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
    if let Some(child) = children.iter().find(|child| child.is_file()) {
        return resolves(child, &folder.join(name), rest, ours);
    }
    let text = fs::read_to_string(file).unwrap_or_default();
    let declared = declares(&text, name)
        || USE.find_iter(&text).any(|u| has_word(u.as_str(), name));
    declared
        && rest.iter().all(|member| {
            declares(&ours.text, member) || is_member(ours, member)
        })
}

/// Tells whether the text declares an item of this name.
fn declares(text: &str, name: &str) -> bool {
    let keywords =
        r"fn|struct|enum|union|trait|const|static|type|mod|macro_rules!";
    let item = Regex::new(&format!(r"\b(?:{keywords})\s+(?:mut\s+)?{name}\b"));
    item.expect("a name needs no escape").is_match(text)
}

/// Tells whether the crate has a field or an enum's variant of this name.
fn is_member(ours: &Crate, name: &str) -> bool {
    let member = Regex::new(&format!(
        r"(?m)^\s+(?:pub(?:\([a-z]+\))?\s+)?{name}\s*[:,({{=]"
    ));
    member.expect("a name needs no escape").is_match(&ours.text)
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|found| found == word)
}

/// The crates of the repository, by the name that Rust gives them.
fn crates(root: &Path) -> Result<HashMap<String, Crate>> {
    let mut crates = HashMap::new();
    for entry in fs::read_dir(root)? {
        let folder = entry?.path();
        let manifest =
            fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        let name =
            manifest.lines().find_map(|line| line.strip_prefix("name = \""));
        if let Some(name) = name.and_then(|rest| rest.split('"').next()) {
            crates
                .insert(name.replace('-', "_"), sources(&folder.join("src"))?);
        }
    }
    Ok(crates)
}

fn sources(folder: &Path) -> Result<Crate> {
    let mut files =
        if folder.is_dir() { files_below(folder, &[])? } else { Vec::new() };
    files.retain(|file| {
        file.extension().is_some_and(|extension| extension == "rs")
    });
    let texts: Vec<_> =
        files.iter().map(fs::read_to_string).collect::<Result<_, _>>()?;
    let is_root = |file: &PathBuf| {
        let program = file.parent() == Some(&folder.join("bin"));
        program
            || *file == folder.join("lib.rs")
            || *file == folder.join("main.rs")
    };
    files.retain(is_root);
    Ok(Crate { roots: files, text: texts.join("\n") })
}

/// Where the children of a crate's root module lie: beside it.
fn module_folder(root: &Path) -> PathBuf {
    root.parent().expect("a file lies in a folder").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_path_only_if_it_looks_like_one() {
        for path in
            ["namespaces::spawn", "shim::log::Writer::write()", "std::fs"]
        {
            assert!(PATH.is_match(path), "{path}");
        }
        for other in ["Child::wait", "a: b", "::x", "mnt:[1]", "x::<T>"] {
            assert!(!PATH.is_match(other), "{other}");
        }
    }
}
