//! Every field of every config.json in `corpus`, spoiled in every way: it is
//! refused in a line that names it, or accepted; never a panic, a hang or
//! something that stays behind.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod place;
mod replay;
mod spoil;

use place::{Outcome, Place};
use serde_json::Value;
use spoil::{Spoiled, spoiled};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use testkit::{Need, Scratch, requires};

/// The configurations to begin with: each is accepted as it is.
fn corpus() -> Vec<(PathBuf, Value)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/malformed");
    let files = fs::read_dir(dir.join("corpus")).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        (path, json)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn the_corpus_itself_is_accepted() {
    if !requires(&[Need::Root]) {
        return;
    }
    let corpus = corpus();
    assert!(corpus.len() >= 2, "{corpus:?}");
    for (path, config) in corpus {
        let place = Place::new(Scratch::new());
        let outcome = place.create_and_delete(config.to_string().as_bytes());
        assert_eq!(outcome.code, Some(0), "{path:?}: {}", outcome.message);
    }
}

#[test]
fn a_spoiled_field_is_refused_by_its_name_or_harmless() {
    if !requires(&[Need::Root]) {
        return;
    }
    let all: Vec<_> = corpus()
        .iter()
        .flat_map(|(path, config)| {
            spoiled(config).map(|one| (path.clone(), one)).collect::<Vec<_>>()
        })
        .collect();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let complaints: Vec<String> = thread::scope(|scope| {
        let share = all.len().div_ceil(processors);
        let shares =
            all.chunks(share).map(|share| scope.spawn(|| tried(share)));
        let shares: Vec<_> = shares.collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    assert!(all.len() > 1000, "only {}", all.len());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Tries these, and gives what is to complain about.
fn tried(all: &[(PathBuf, Spoiled)]) -> Vec<String> {
    let place = Place::new(Scratch::new());
    let complaint = |(path, spoiled): &(PathBuf, Spoiled)| {
        let Spoiled { field, how, config } = spoiled;
        let outcome = place.create_and_delete(config.to_string().as_bytes());
        let why = outcome.complaint(field)?;
        let file = path.file_name().unwrap().to_string_lossy();
        Some(format!("{file}: {field} = {how}: {why}"))
    };
    all.iter().filter_map(complaint).collect()
}

#[test]
fn what_is_no_configuration_at_all_is_refused() {
    if !requires(&[Need::Root]) {
        return;
    }
    let place = Place::new(Scratch::new());
    let (_, config) = corpus().remove(0);
    let text = config.to_string();
    let mut texts: Vec<Vec<u8>> = [
        "",
        " ",
        "null",
        "[]",
        "{}",
        "1",
        "\"\"",
        "{\"ociVersion\":",
        "\u{feff}{}",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    texts.push(vec![0xff, 0xfe, 0]);
    texts.push("[".repeat(100_000).into_bytes());
    // Cut off in the middle, as a full disk leaves it.
    texts.extend((1..20).map(|n| text[..text.len() * n / 20].into()));
    for text in texts {
        let outcome = place.create_and_delete(&text);
        let start = String::from_utf8_lossy(&text[..text.len().min(40)]);
        assert_ne!(outcome.code, Some(0), "{start:?}");
        let complaint = outcome.complaint("config.json");
        assert_eq!(complaint, None, "{start:?}: {}", outcome.message);
    }
}

impl Outcome {
    /// Says what is wrong with how it went, if anything is.
    fn complaint(&self, field: &str) -> Option<String> {
        let Self { code, message, left } = self;
        // Numbers are places in an array; each name is enough of a hint.
        let mut names = field
            .split('/')
            .filter(|part| !part.is_empty() && part.parse::<usize>().is_err());
        let lower = message.to_lowercase();
        let named = names.any(|name| lower.contains(&name.to_lowercase()));
        match code {
            _ if message.contains("panicked") => Some(message.clone()),
            _ if !left.is_empty() => Some(format!("left: {left}")),
            None | Some(124..) => Some(format!("{code:?}: {message}")),
            Some(0) => None,
            Some(_) if message.lines().count() > 2 => {
                Some(format!("not one clear line: {message}"))
            }
            Some(_) if !named => Some(format!("does not name it: {message}")),
            Some(_) => None,
        }
    }
}
