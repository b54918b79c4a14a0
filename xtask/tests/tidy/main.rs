//! What must hold of the whole repository and no compiler checks: the
//! invariants marked in ARCHITECTURE.md and the limits of CONTRIBUTING.md.
//!
//! Each rule is a pure function from text to complaints. Beside it stands a
//! fixture that breaks it, so that no rule can go blind without a failure.

mod attacks;
mod code;
mod headers;
mod licences;
mod manifests;
mod mutants;
mod origins;
mod purity;
mod sleeps;
mod tree;
mod unsafety;

use std::path::Path;

/// A Rust file of the repository.
struct Source {
    /// Relative to the repository's root, with `/`.
    path: String,
    text: String,
}

/// The repository's root.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the repository")
}

/// Applies a rule for single files to every Rust file.
fn check_sources(rule: fn(&Source) -> Vec<String>) {
    let sources = tree::sources(repository());
    let complaints: Vec<_> = sources.iter().flat_map(rule).collect();
    check(&complaints);
}

/// Fails with one complaint a line.
fn check(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n  {}\n", complaints.join("\n  "));
}

/// A made-up file for fixtures.
fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}
