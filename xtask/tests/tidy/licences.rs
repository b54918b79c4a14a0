//! The licences that every Cargo.toml names are there to be read.

use crate::{check, repository};
use std::fs;
use std::path::Path;

/// A file, and words that only the right text has.
const TEXTS: &[(&str, &str)] = &[
    ("LICENSE-MIT", "Permission is hereby granted, free of charge"),
    ("LICENSE-APACHE", "Apache License"),
    ("05-manager/proto/LICENSE", "Apache License"),
];

fn rule(root: &Path) -> Vec<String> {
    let read = |file: &str| fs::read_to_string(root.join(file));
    let lacking = TEXTS.iter().filter(|(file, words)| {
        !read(file).is_ok_and(|text| text.contains(words))
    });
    lacking.map(|(file, words)| format!("{file}: lacks {words:?}")).collect()
}

#[test]
fn every_licence_can_be_read() {
    check(&rule(repository()));
}

#[test]
fn a_missing_licence_is_found() {
    assert_eq!(rule(Path::new("/no/such/folder")).len(), TEXTS.len());
}
