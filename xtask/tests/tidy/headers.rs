//! One file, one idea: each begins by saying what it is, and stays short.

use crate::{Source, check_sources, source};

/// Lines of the longest file.
const LONGEST: usize = 300;

/// Lines of the longest example of stage 1: each shows one idea, on one page.
const LONGEST_EXAMPLE: usize = 40;

/// Lines of the longest exercise, solution and beginning in one file.
const LONGEST_EXERCISE: usize = 60;

fn opening(source: &Source) -> Vec<String> {
    if source.text.starts_with("//! ") {
        return vec![];
    }
    vec![format!("{}:1: begins without `//! ` and what it is", source.path)]
}

fn length(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let example = source.path.strip_prefix("01-namespaces/examples/");
    let longest = match example {
        Some(name) if name.contains('/') => LONGEST_EXERCISE,
        Some(_) => LONGEST_EXAMPLE,
        None => LONGEST,
    };
    if lines <= longest {
        return vec![];
    }
    vec![format!("{}: {lines} lines, over {longest}", source.path)]
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    check_sources(opening);
}

#[test]
fn a_file_that_begins_otherwise_is_found() {
    for text in ["", "use std::fs;\n//! late", "// not a doc comment", "//!\n"]
    {
        assert_eq!(opening(&source("a.rs", text)).len(), 1, "{text:?}");
    }
}

#[test]
fn no_file_is_longer_than_300_lines() {
    check_sources(length);
}

#[test]
fn a_file_of_301_lines_is_found() {
    assert!(length(&source("a.rs", &"x\n".repeat(LONGEST))).is_empty());
    assert_eq!(length(&source("a.rs", &"x\n".repeat(LONGEST + 1))).len(), 1);
}

#[test]
fn an_example_of_41_lines_is_found() {
    let path = "01-namespaces/examples/a.rs";
    assert!(length(&source(path, &"x\n".repeat(LONGEST_EXAMPLE))).is_empty());
    let longer = "x\n".repeat(LONGEST_EXAMPLE + 1);
    assert_eq!(length(&source(path, &longer)).len(), 1);
    let exercise = "01-namespaces/examples/a/main.rs";
    assert!(length(&source(exercise, &longer)).is_empty());
    let longer = "x\n".repeat(LONGEST_EXERCISE + 1);
    assert_eq!(length(&source(exercise, &longer)).len(), 1);
}
