//! What the kernel answered to one question about a process: a value, or why
//! not. An ordinary user may ask some things of any process, and others only
//! of their own.

use namespaces::{Result, SyscallError};
use serde::Serialize;

/// In JSON the value itself, or an object that says why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Answer<T> {
    Is(T),
    Refused { not_readable: String },
}

impl<T> Answer<T> {
    /// Gives the value in words, or why there is none.
    pub(super) fn text(&self, text: impl FnOnce(&T) -> String) -> String {
        match self {
            Self::Is(value) => text(value),
            Self::Refused { not_readable } => {
                format!("not readable: {not_readable}")
            }
        }
    }
}

impl<T> From<Result<T>> for Answer<T> {
    fn from(result: Result<T>) -> Self {
        match result {
            Ok(value) => Self::Is(value),
            Err(SyscallError { errno, .. }) => {
                Self::Refused { not_readable: format!("{errno:?}") }
            }
        }
    }
}
