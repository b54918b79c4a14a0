//! Every verb in every status, tried on each runtime: what happens is the table
//! `transitions.txt`, from which the book's picture of a container's life is
//! drawn. `BLESS=1` writes the table anew.

use super::driver::{Driver, LIMIT, on_each_runtime};
use std::cell::RefCell;
use std::fs;
use testkit::eventually;

const TABLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lifecycle/transitions.txt");

/// A status, and the verbs by which a new container comes to it.
const STATUSES: &[(&str, &[&[&str]])] = &[
    ("created", &[&["create"]]),
    ("running", &[&["create"], &["start"]]),
    ("paused", &[&["create"], &["start"], &["pause"]]),
    ("stopped", &[&["create"], &["kill", "KILL"]]),
];

const VERBS: &[&[&str]] = &[
    &["start"],
    &["exec"],
    &["pause"],
    &["resume"],
    &["kill", "KILL"],
    &["delete"],
    &["delete", "--force"],
];

#[test]
fn each_verb_does_in_each_status_what_the_table_says() {
    let columns = RefCell::new(Vec::new());
    on_each_runtime(&["sleep", "1000"], |driver| {
        let cells = STATUSES.iter().flat_map(|(from, way)| {
            let cell = |verb: &&[&str]| cell(driver, from, way, verb);
            VERBS.iter().map(cell).collect::<Vec<_>>()
        });
        let cells = cells.collect::<Vec<_>>();
        columns.borrow_mut().push((driver.runtime.name.clone(), cells));
    });
    let columns = columns.into_inner();
    if columns.is_empty() {
        return; // skipped, and said so
    }
    let table = table(&columns);
    if std::env::var_os("BLESS").is_some() {
        fs::write(TABLE, &table).expect("the tree is ours");
    }
    assert_eq!(table, fs::read_to_string(TABLE).expect("it is checked in"));
}

/// Brings a new container to a status, and tells where the verb leads from
/// there.
fn cell(driver: &Driver, from: &str, way: &[&[&str]], verb: &[&str]) -> String {
    for step in way {
        driver.ok(step);
    }
    driver.wait_for(from);
    let answer = match verb {
        ["exec"] => driver.call(&["exec", driver.id(), "true"]),
        verb => driver.verb(verb),
    };
    let taken = answer.status.success();
    let to = match (verb, taken) {
        // The signal is on its way when the call returns.
        (["kill", _], true) => {
            eventually(LIMIT, "killed", || Some(status(driver)).filter(ended))
        }
        (_, true) => status(driver),
        (_, false) => {
            assert_eq!(
                status(driver),
                from,
                "refused, and changed all the same"
            );
            "refused".into()
        }
    };
    driver.ok(&["delete", "--force"]);
    to
}

fn ended(status: &String) -> bool {
    status == "stopped"
}

/// `none`: there is no such container.
fn status(driver: &Driver) -> String {
    match driver.verb(&["state"]).status.success() {
        true => driver.status(),
        false => "none".into(),
    }
}

fn table(columns: &[(String, Vec<String>)]) -> String {
    let line = |from: &str, verb: &str, cells: Vec<&str>| {
        let cells = cells.iter().map(|cell| format!("{cell:<11}"));
        let line = format!("{from:<9}{verb:<16}{}", cells.collect::<String>());
        line.trim_end().to_owned() + "\n"
    };
    let names = columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut text = line("status", "verb", names);
    let rows = STATUSES
        .iter()
        .flat_map(|(from, _)| VERBS.iter().map(|verb| (*from, verb.join(" "))));
    for (i, (from, verb)) in rows.enumerate() {
        let cells = columns.iter().map(|(_, cells)| cells[i].as_str());
        text += &line(from, &verb, cells.collect());
    }
    text
}
