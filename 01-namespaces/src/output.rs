//! What isolate(1) says itself. Nobody may be there to read it: a pipe can be
//! closed, a disk full. That must neither end us halfway nor change the exit
//! code, as the panics of `print!` and `eprintln!` would.

use namespaces::{InCall, Result};
use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};

/// Prints an answer. Who reads it may stop halfway, as head(1) does.
///
/// # Errors
/// ENOSPC: the disk it is redirected to is full.
///
/// Source: write(2)
pub(crate) fn answer(text: &str) -> Result<()> {
    let mut stdout = stdout();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.in_call(|| "write(stdout)".into()),
    }
}

/// Tells what is no answer: a failure, a number at the end.
pub(crate) fn tell(line: impl Display) {
    // In one write: the child may be telling something too. If it fails, there
    // is no other place to say so.
    let _ = stderr().write_all(format!("isolate: {line}\n").as_bytes());
}
