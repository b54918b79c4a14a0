//! Invariant 2: stages 01 to 04 are synchronous and have one thread. A fork
//! copies one thread and every lock that the others held.

use crate::code::code_only;
use crate::{Source, check_sources, source};

/// What starts a thread, or makes a function asynchronous.
const CONCURRENT: &[&str] = &[
    "thread::spawn(",
    "thread::scope(",
    "thread::Builder",
    "async fn",
    ".await",
];

fn rule(source: &Source) -> Vec<String> {
    let in_program = source.path.contains("/src/");
    let stage = source.path.split('-').next().unwrap_or_default();
    if !in_program || !["01", "02", "03", "04"].contains(&stage) {
        return vec![];
    }
    // The harness of unit tests has threads; nothing of a program is below.
    let code = code_only(&source.text);
    let program = code.split("#[cfg(test)]").next().unwrap_or_default();
    let found = CONCURRENT.iter().filter(|word| program.contains(**word));
    found.map(|word| format!("{}: uses `{word}`", source.path)).collect()
}

#[test]
fn stages_1_to_4_are_single_threaded_and_synchronous() {
    check_sources(rule);
}

#[test]
fn a_thread_in_a_stage_below_5_is_found() {
    let text = "fn f() { std::thread::spawn(|| ()); }";
    assert_eq!(rule(&source("04-shim/src/log.rs", text)).len(), 1);
    assert_eq!(
        rule(&source("02-imageless/src/a.rs", "async fn f() {}")).len(),
        1
    );
    assert!(rule(&source("05-manager/src/shim.rs", text)).is_empty());
    assert!(rule(&source("04-shim/tests/log.rs", text)).is_empty());
}
