//! What is wrong, where, and the way out: `book/src/01.md:42: ..` and a line `hint: ..`.
//!
//! One shape for lint and test, so that an editor can jump to either's findings.

use std::fmt;

/// Something wrong with the book, at a line of a file.
#[derive(Debug)]
pub(crate) struct Finding {
    /// `FILE:LINE`, the file relative to the repository.
    pub(crate) place: String,
    pub(crate) what: String,
    /// The remedy; empty if it is plain from `what`.
    pub(crate) hint: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for Finding {}

/// Prints the findings, and tells whether there are none.
pub(crate) fn report(findings: &[Finding]) -> bool {
    for finding in findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        eprintln!("{} wrong in the book", findings.len());
    }
    findings.is_empty()
}
