//! Invariant 1: unsafe code stands in one directory of the workspace.

use crate::code::code_only;
use crate::{Source, check_sources, source};

/// The one directory.
const SYS: &str = "01-namespaces/src/sys/";

fn rule(source: &Source) -> Vec<String> {
    if source.path.starts_with(SYS) {
        return vec![];
    }
    let code = code_only(&source.text);
    let mut complaints = vec![];
    for (number, line) in code.lines().enumerate() {
        let at = format!("{}:{}", source.path, number + 1);
        if has_word(line, "unsafe") {
            complaints.push(format!("{at}: unsafe belongs into {SYS}"));
        }
        if has_word(line, "unsafe_code") {
            complaints.push(format!("{at}: only {SYS} may allow it"));
        }
    }
    complaints
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
}

#[test]
fn unsafe_code_stands_in_one_directory() {
    check_sources(rule);
    assert!(crate::repository().join(SYS).is_dir(), "{SYS} has moved");
}

#[test]
fn unsafe_code_elsewhere_is_found() {
    for text in [
        "fn f() { unsafe { g() } }",
        "unsafe impl Send for X {}",
        "#![allow(unsafe_code)]",
        "#[unsafe(no_mangle)] fn f() {}",
    ] {
        for path in [
            "04-shim/src/main.rs",
            "01-namespaces/src/lib.rs",
            "01-namespaces/src/sys.rs",
        ] {
            let complaints = rule(&source(path, text));
            assert_eq!(complaints.len(), 1, "{path}: {text}: {complaints:?}");
        }
        let inside = format!("{SYS}process.rs");
        assert!(rule(&source(&inside, text)).is_empty(), "{text}");
    }
}

#[test]
fn the_word_in_a_comment_or_a_string_is_no_unsafe_code() {
    let text = "// unsafe { }\nlet a = \"unsafe\"; let not_unsafe = 1;";
    assert!(rule(&source("04-shim/src/main.rs", text)).is_empty());
}
