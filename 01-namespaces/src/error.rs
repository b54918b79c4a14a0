//! The one error of this library: a system call that failed, printed as
//! strace(1) prints it. A reader who meets `mount("proc", "/proc", ..) = EPERM`
//! knows which man page to open; "could not set up /proc" says nothing.

use nix::errno::Errno;
use std::fmt;

/// A result whose error is a failed system call.
pub type Result<T> = std::result::Result<T, SyscallError>;

/// Describes a system call that failed: what was called, what the kernel
/// answered, and the remedy if it is known.
///
/// Source: errno(3)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyscallError {
    /// The call with its arguments, as strace(1) would print it.
    pub call: String,
    /// The kernel's answer.
    pub errno: Errno,
    /// What the user can do about it; printed as a second line.
    pub hint: Option<String>,
}

impl SyscallError {
    /// Makes an error of a call and its answer, without a hint.
    pub fn new(call: impl Into<String>, errno: Errno) -> Self {
        Self { call: call.into(), errno, hint: None }
    }

    /// Adds the remedy.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds the remedy, if a file of `process` in /proc was not there and that
    /// is `self`: we ourselves have not ended.
    pub(crate) fn hint_at_proc(self, process: &str) -> Self {
        match (self.errno, process) {
            (Errno::ENOENT, "self") => {
                self.hint("/proc is not mounted: mount -t proc proc /proc")
            }
            _ => self,
        }
    }
}

impl fmt::Display for SyscallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {:?}: {}", self.call, self.errno, self.errno.desc())?;
        match self.hint.as_deref().or(remedy(self.errno)) {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// What helps whichever call it was.
///
/// Source: errno(3), getrlimit(2)
fn remedy(errno: Errno) -> Option<&'static str> {
    match errno {
        Errno::EMFILE => Some("raise the limit of open files: ulimit -n"),
        Errno::ENFILE => Some("as root: raise /proc/sys/fs/file-max"),
        _ => None,
    }
}

impl std::error::Error for SyscallError {}

/// Attaches the text of the call to a bare result. The text is made only when
/// the call has failed.
pub trait InCall<T> {
    /// Names the call that gave this result.
    ///
    /// # Errors
    /// The errno of the result, if it is one.
    fn in_call(self, call: impl FnOnce() -> String) -> Result<T>;
}

impl<T> InCall<T> for nix::Result<T> {
    fn in_call(self, call: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|errno| SyscallError::new(call(), errno))
    }
}

impl<T> InCall<T> for std::io::Result<T> {
    fn in_call(self, call: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| SyscallError::new(call(), errno_of(&error)))
    }
}

impl<T> InCall<T> for rustix::io::Result<T> {
    fn in_call(self, call: impl FnOnce() -> String) -> Result<T> {
        self.map_err(std::io::Error::from).in_call(call)
    }
}

/// Finds the errno in an I/O error. The few errors that std makes itself (such
/// as a short read) carry none: EIO.
fn errno_of(error: &std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_strace_prints_it() {
        let result: nix::Result<()> = Err(Errno::EPERM);
        let error = result
            .in_call(|| r#"mount("proc", "/proc", ..)"#.into())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"mount("proc", "/proc", ..) = EPERM: Operation not permitted"#
        );
    }

    #[test]
    fn a_hint_is_a_second_line() {
        let error = SyscallError::new("unshare(CLONE_NEWNS)", Errno::EPERM)
            .hint("add --user");
        assert!(error.to_string().ends_with("not permitted\nhint: add --user"));
    }

    #[test]
    fn too_many_open_files_have_a_way_out_whichever_call_it_was() {
        let error = SyscallError::new("pipe2(O_CLOEXEC)", Errno::EMFILE);
        assert!(error.to_string().ends_with(
            "hint: raise the limit of open \
                                             files: ulimit -n"
        ));
        let error = error.hint("close some");
        assert!(error.to_string().ends_with("\nhint: close some"));
    }
}
