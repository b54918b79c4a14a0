//! Whoever reads of a type of stage 1 can look up what the kernel says of it:
//! its documentation names the man page, or another document.

use crate::{Source, check_sources, source};

/// Stage 1's library; what only `isolate` uses is not public.
const LIBRARY: &str = "01-namespaces/src/";

fn origin(source: &Source) -> Vec<String> {
    if !source.path.starts_with(LIBRARY) {
        return vec![];
    }
    let lines: Vec<_> = source.text.lines().map(str::trim).collect();
    let types = lines.iter().enumerate().filter(|(_, line)| is_type(line));
    let nameless = types.filter(|(at, _)| !says_where_from(&lines[..*at]));
    let complaint = |(at, line)| {
        format!("{}:{}: no `Source:` above `{line}`", source.path, at + 1)
    };
    nameless.map(complaint).collect()
}

fn is_type(line: &str) -> bool {
    line.starts_with("pub struct ") || line.starts_with("pub enum ")
}

/// Looks at the documentation and the attributes that the lines end with.
fn says_where_from(above: &[&str]) -> bool {
    let belongs =
        |line: &&&str| line.starts_with("///") || line.starts_with("#");
    let mut lines = above.iter().rev().take_while(belongs);
    lines.any(|line| line.starts_with("/// Source: "))
}

#[test]
fn every_public_type_of_the_library_says_its_source() {
    check_sources(origin);
}

#[test]
fn a_type_without_a_source_is_found() {
    let path = "01-namespaces/src/a.rs";
    let with = "/// A.\n///\n/// Source: a(2)\n#[derive(Debug)]\npub struct A;";
    assert!(origin(&source(path, with)).is_empty());
    let without = with.replace("/// Source: a(2)\n", "");
    let complaint =
        "01-namespaces/src/a.rs:4: no `Source:` above `pub struct A;`";
    assert_eq!(origin(&source(path, &without)), [complaint]);
    let another = format!("{with}\n\n/// B.\npub enum B {{}}");
    assert_eq!(origin(&source(path, &another)).len(), 1);
}
