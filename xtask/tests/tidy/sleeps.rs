//! Nobody sleeps to wait for something: a wait is for an event, with a
//! deadline. Who has to poll all the same says why, here.

use crate::code::code_only;
use crate::{Source, check_sources, repository, source};
use std::fs;

/// Files that may sleep, and for what.
const ALLOWED: &[(&str, &str)] = &[
    ("testkit/src/wait.rs", "the tests' only poll: an outside observer"),
    ("03-runc-naive/src/main.rs", "the lesson: who is no parent can only poll"),
];

fn rule(source: &Source) -> Vec<String> {
    if ALLOWED.iter().any(|(path, _)| *path == source.path) {
        return vec![];
    }
    let code = code_only(&source.text);
    let lines = code.lines().enumerate();
    let sleeps = lines.filter(|(_, line)| line.contains("sleep("));
    let path = &source.path;
    sleeps
        .map(|(number, _)| {
            let line = number + 1;
            format!("{path}:{line}: sleeps\nhint: wait for the event itself")
        })
        .collect()
}

#[test]
fn nobody_sleeps_to_wait() {
    check_sources(rule);
}

#[test]
fn a_sleep_is_found_whatever_it_is_called_through() {
    for text in [
        "std::thread::sleep(Duration::from_secs(1));",
        "tokio::time::sleep(d).await;",
        "nanosleep(&t);",
    ] {
        assert_eq!(rule(&source("a.rs", text)).len(), 1, "{text}");
    }
}

#[test]
fn sleep_as_a_container_s_program_is_no_sleep_of_ours() {
    let text = "let args = [\"sleep\", \"60\"]; // sleep(60)";
    assert!(rule(&source("a.rs", text)).is_empty());
}

#[test]
fn who_may_sleep_still_does() {
    for (path, _) in ALLOWED {
        let text = fs::read_to_string(repository().join(path));
        let code = code_only(&text.unwrap_or_default());
        assert!(code.contains("sleep("), "{path} needs no exception anymore");
    }
}
