//! The Rust files that we have written: not what was generated or built.

use crate::{Source, repository};
use std::fs;
use std::path::Path;

/// Folders without sources of ours. `workshop` holds a learner's own.
const FOREIGN: &[&str] = &["target", "workshop", "proto", "generated", "build"];

/// Reads every Rust file under `root`, sorted by path.
pub(crate) fn sources(root: &Path) -> Vec<Source> {
    let mut found = vec![];
    collect(root, root, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).expect("a folder of ours is readable");
    for entry in entries {
        let path = entry.expect("a folder of ours is readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let skipped = name.starts_with('.') || FOREIGN.contains(&&*name);
        if path.is_dir() && !skipped {
            collect(root, &path, found);
        } else if name.ends_with(".rs") && path.is_file() {
            let inside = path.strip_prefix(root).expect("found below root");
            let text = fs::read_to_string(&path).expect("Rust is UTF-8");
            found.push(Source { path: inside.display().to_string(), text });
        }
    }
}

#[test]
fn every_stage_is_looked_at_and_nothing_that_was_built() {
    let paths: Vec<_> =
        sources(repository()).into_iter().map(|source| source.path).collect();
    for stage in ["01-", "02-", "03-", "04-", "05-", "testkit/", "xtask/"] {
        assert!(paths.iter().any(|path| path.starts_with(stage)), "{stage}");
    }
    assert!(!paths.iter().any(|path| path.starts_with("target/")));
}
