//! Throws texts at what `exec` decides from the file of `--process`; as
//! `config.rs` beside it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    if let Err(told) = imageless::decide::process(text) {
        assert!(told.lines().count() <= 2, "not one line: {told}");
    }
});
