//! What the fuzzers of `fuzz/` have kept, replayed on stable: each text took
//! another way through what decides. None panics or hangs there, and none leaves
//! anything when the runtime itself is given it.

use super::place::Place;
use imageless::decide;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;
use testkit::{Need, Scratch, requires};

/// Long for a decision, which takes a millisecond, on a machine at work.
const LIMIT: Duration = Duration::from_secs(20);

/// How many are given to the runtime itself.
const MOST: usize = 60;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Reads a fuzzer's corpus, in the order of the names.
fn corpus(fuzzer: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(fuzz().join("corpus").join(fuzzer)).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let texts = paths.into_iter();
    texts.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Decides each text of a corpus in a thread that can be given up.
fn replay(
    fuzzer: &str,
    start: &'static str,
    decide: fn(&[u8]) -> Result<(), String>,
) {
    let corpus = corpus(fuzzer);
    assert!(!corpus.is_empty(), "{fuzzer}");
    for (path, text) in corpus {
        let (sender, receiver) = channel();
        thread::spawn(move || sender.send(decide(&text)));
        // Hung up without a word: it has panicked.
        let decided = receiver.recv_timeout(LIMIT);
        let decided = decided.unwrap_or_else(|why| panic!("{path:?}: {why}"));
        if let Err(told) = decided {
            assert!(told.lines().count() <= 2, "{path:?}: {told}");
            assert!(told.starts_with(start), "{path:?}: {told}");
        }
    }
}

#[test]
fn no_config_json_makes_what_decides_panic_or_hang() {
    replay("config", "config.json: ", |text| {
        decide::config(&fuzz().join("bundle"), text)
    });
}

#[test]
fn nor_does_a_process_or_a_set_of_resources() {
    replay("process", "", decide::process);
    replay("resources", "", decide::resources);
}

/// Takes out what this machine would be harmed by: a root file system that is
/// not the bundle's own, and programs of the host that would be run.
fn harmless(text: &[u8]) -> Option<Vec<u8>> {
    let Ok(mut config) = serde_json::from_slice::<Value>(text) else {
        return Some(text.into());
    };
    config.as_object_mut().map(|config| config.remove("hooks"));
    let root = config.pointer("/root/path");
    root.is_none_or(|path| path == "rootfs").then(|| config.to_string().into())
}

#[test]
fn nothing_that_a_fuzzer_found_stays_behind() {
    if !requires(&[Need::Root]) {
        return;
    }
    let corpus: Vec<_> = corpus("config")
        .into_iter()
        .filter_map(|(path, text)| Some((path, harmless(&text)?)))
        .collect();
    let place = Place::new(Scratch::new());
    for (path, text) in corpus.iter().step_by(corpus.len().div_ceil(MOST)) {
        let outcome = place.create_and_delete(text);
        let said = &outcome.message;
        assert!(outcome.left.is_empty(), "{path:?}: {}", outcome.left);
        let ended = matches!(outcome.code, Some(0..124));
        assert!(ended && !said.contains("panicked"), "{path:?}: {outcome:?}");
    }
}
