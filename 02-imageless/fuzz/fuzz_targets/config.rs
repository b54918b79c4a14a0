//! Throws texts at what `create` decides from config.json: no panic, no hang,
//! and what is refused is refused in one line. Reads files of the machine and
//! changes none.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run config` in this folder's parent; the corpus
//! is checked in, and `tests/malformed/replay.rs` replays it on stable.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::Path;

/// Has the directories that the corpus names: `rootfs`, `data`.
const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bundle");

fuzz_target!(|text: &[u8]| {
    if let Err(told) = imageless::decide::config(Path::new(BUNDLE), text) {
        assert!(told.lines().count() <= 2, "not one line: {told}");
        assert!(told.starts_with("config.json: "), "no field: {told}");
    }
});
