//! What can go wrong between a CRI request and the kernel, split by who has to
//! act: the caller mends an invalid request, waits or picks another id, or
//! reads what the system answered. Each text is one whole line.

use nix::errno::Errno;
use runc_naive::RuntimeError;

/// An operation's result in the manager.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the manager did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be right; asking again does not help.
    #[error("{0}")]
    Invalid(String),
    /// CRI allows it, this manager does not do it yet. Refused rather than
    /// ignored.
    #[error("{0}: not supported yet")]
    Unsupported(String),
    /// No sandbox or container has this id.
    #[error("no {kind} {id:?}")]
    NotFound {
        /// `container` or `pod sandbox`.
        kind: &'static str,
        /// The id as it was given.
        id: String,
    },
    /// The name is taken, or a prefix of an id fits several.
    #[error("{0}")]
    Conflict(String),
    /// The object is in a state that does not allow it.
    #[error("{0}")]
    State(String),
    /// The system, the shim or the runtime said no.
    #[error("{0}")]
    Failed(String),
}

/// Turns a failed system call into the line that strace(1) would print: `call =
/// ENOENT: No such file or directory`.
///
/// The call stands with its arguments, as in `mkdir("/run/conman")`.
pub fn failed<E: Into<std::io::Error>>(
    call: impl Into<String>,
) -> impl FnOnce(E) -> Error {
    let call = call.into();
    move |error| Error::Failed(strace(&call, &error.into()))
}

/// Returns `call = ERRNO: text`, or `call: text` where the error is not the
/// kernel's.
#[must_use]
pub fn strace(call: &str, error: &std::io::Error) -> String {
    match error.raw_os_error() {
        Some(errno) => format!("{call} = {}", Errno::from_raw(errno)),
        None => format!("{call}: {error}"),
    }
}

/// A config.json that oci-spec's builders refuse: a required field was not set.
impl From<oci_spec::OciSpecError> for Error {
    fn from(error: oci_spec::OciSpecError) -> Self {
        Error::Failed(format!("config.json: {error}"))
    }
}

/// The runtime's answers that a caller acts on keep their meaning.
impl From<RuntimeError> for Error {
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::NotFound { id } => {
                Error::NotFound { kind: "container at the runtime", id }
            }
            RuntimeError::NotRunning { .. } => Error::State(error.to_string()),
            RuntimeError::Failed { .. } | RuntimeError::Io { .. } => {
                Error::Failed(error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_call_reads_as_strace_prints_it() {
        let error: Error =
            failed("mkdir(\"/x\")")(std::io::Error::from_raw_os_error(13));
        assert_eq!(
            error.to_string(),
            "mkdir(\"/x\") = EACCES: Permission denied"
        );
    }
}
