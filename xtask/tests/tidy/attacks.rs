//! The table of attacks fits the tests: each row's test is there, and each
//! number that a test names has a row.

use crate::{check, repository, tree};
use std::fs;

const FOLDER: &str = "02-imageless/tests/";

fn table() -> String {
    let path = repository().join(FOLDER).join("attacks/README.md");
    fs::read_to_string(path).expect("the table is there")
}

/// Gives a row's number, test program and test.
fn row(line: &str) -> Option<(&str, &str, &str)> {
    let mut cells = line.strip_prefix("| ")?.split(" | ");
    let (number, _how, test) = (cells.next()?, cells.next()?, cells.next()?);
    let mut names = test.split('`');
    let (program, test) = (names.nth(1)?, names.nth(1)?);
    Some((number, program, test))
}

/// Lists the numbers in a text: `CVE-2019-5736`.
fn numbers(text: &str) -> impl Iterator<Item = String> {
    text.split("CVE-").skip(1).filter_map(|rest| {
        let end = |c: char| !c.is_ascii_digit() && c != '-';
        let number = rest.split(end).next()?.trim_end_matches('-');
        (!number.is_empty()).then(|| format!("CVE-{number}"))
    })
}

#[test]
fn the_test_of_each_row_is_there() {
    let sources = tree::sources(repository());
    let table = table();
    let rows: Vec<_> = table.lines().filter_map(row).collect();
    assert!(rows.len() > 30, "{rows:?}");
    let complaint = |(number, program, test): &(&str, &str, &str)| {
        let (module, name) = test.rsplit_once("::").unwrap_or(("main", test));
        let file = format!("{FOLDER}{program}/{module}.rs");
        let function = format!("#[test]\nfn {name}() {{");
        let found = sources.iter().find(|source| source.path == file);
        let found = found.is_some_and(|s| s.text.contains(&function));
        (!found).then(|| format!("{number}: no test {program} {test}"))
    };
    check(&rows.iter().filter_map(complaint).collect::<Vec<_>>());
}

#[test]
fn each_number_that_an_attack_names_has_a_row() {
    let table = table();
    let attacks = format!("{FOLDER}attacks/");
    let sources = tree::sources(repository()).into_iter();
    let ours = sources.filter(|source| source.path.starts_with(&attacks));
    let missing: Vec<_> = ours
        .flat_map(|source| numbers(&source.text).collect::<Vec<_>>())
        .filter(|number| !table.contains(&format!("| {number} |")))
        .collect();
    check(&missing);
}

#[test]
fn a_row_is_a_number_a_program_and_a_test() {
    let line = "| CVE-2019-5736 | how | `lifecycle` `own::a_claim` |";
    assert_eq!(row(line), Some(("CVE-2019-5736", "lifecycle", "own::a_claim")));
    assert_eq!(row("| number | how it was done | test |"), None);
    let found: Vec<_> = numbers("CVE-2019-5736, CVE-2020-1. CVE- x").collect();
    assert_eq!(found, ["CVE-2019-5736", "CVE-2020-1"]);
}
