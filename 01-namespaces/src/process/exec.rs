//! Turns a process into a program: PATH search, signals as a program expects
//! them, no descriptor that it did not ask for, and errors with shells' codes.

use crate::error::{InCall, Result, SyscallError};
use crate::sys;
use nix::errno::Errno;
use nix::unistd::{close, execve};
use std::ffi::{CStr, CString, OsStr};
use std::fs::{DirEntry, read_dir};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Turns the process into `program`, with every signal at its default. A name
/// without `/` is searched in `env`'s PATH, that of the *new* program, not
/// ours. Returns only if it failed; see [`exec_failure_code`].
///
/// # Errors
/// ENOENT: not found, or its interpreter is not. EACCES: no execute permission.
/// ENOEXEC: not a program this machine runs.
///
/// Source: execve(2), environ(7)
pub fn exec(program: &CStr, argv: &[CString], env: &[CString]) -> SyscallError {
    if let Err(errno) = sys::reset_signals() {
        return SyscallError::new("sigprocmask(SIG_SETMASK, [])", errno);
    }
    let call = |path: &CStr| format!("execve({path:?}, ..)");
    let mut denied = None;
    for path in candidates(program, env) {
        let Err(errno) = execve(&path, argv, env);
        match errno {
            Errno::ENOENT | Errno::ENOTDIR => {}
            Errno::EACCES => denied = denied.or(Some(path)),
            _ => return SyscallError::new(call(&path), errno),
        }
    }
    match denied {
        Some(path) => SyscallError::new(call(&path), Errno::EACCES)
            .hint("it is there, but its mode, owner or mount forbids it"),
        None => SyscallError::new(call(program), Errno::ENOENT)
            .hint("no such program, or the interpreter it names is missing"),
    }
}

/// Gives the exit code that shells use for a failed [`exec`]: 127 if the
/// program was not found, 126 if it cannot be executed.
///
/// Source: bash(1), "EXIT STATUS"
pub fn exec_failure_code(error: &SyscallError) -> i32 {
    if error.errno == Errno::ENOENT { 127 } else { 126 }
}

/// Where execvp(3) looks when PATH is not set.
const DEFAULT_PATH: &[u8] =
    b"/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// Lists the files that a program's name can mean, in the order of PATH. An
/// empty entry of PATH is the working directory.
fn candidates(program: &CStr, env: &[CString]) -> Vec<CString> {
    let name = program.to_bytes();
    if name.contains(&b'/') || name.is_empty() {
        return vec![program.to_owned()];
    }
    let path =
        env.iter().find_map(|entry| entry.to_bytes().strip_prefix(b"PATH="));
    let join = |dir: &[u8]| {
        let dir = if dir.is_empty() { b"." } else { dir };
        let file =
            Path::new(OsStr::from_bytes(dir)).join(OsStr::from_bytes(name));
        CString::new(file.as_os_str().as_bytes())
            .expect("both parts come from C strings")
    };
    path.unwrap_or(DEFAULT_PATH).split(|byte| *byte == b':').map(join).collect()
}

/// Makes every descriptor above stderr close-on-exec, so that the program
/// inherits nothing by accident (CVE-2024-21626).
///
/// # Errors
/// EINVAL: the kernel is older.
///
/// Source: close_range(2), "Linux 5.11 (2021-02)"
pub fn close_on_exec_from(first: u32) -> Result<()> {
    sys::close_range_cloexec(first)
        .in_call(|| format!("close_range({first}, ~0U, CLOSE_RANGE_CLOEXEC)"))
}

/// Closes every descriptor from `first` up, whoever owns it in this process: it
/// may drop none of them afterwards, and so has to end by [`exit_now`].
///
/// # Errors
/// ENOENT: /proc is not mounted.
///
/// Source: proc_pid_fd(5)
///
/// [`exit_now`]: super::exit_now
pub fn close_from(first: RawFd) -> Result<()> {
    let fds = "/proc/self/fd";
    let entries = read_dir(fds).in_call(|| format!("open({fds:?})"))?;
    let number = |entry: DirEntry| entry.file_name().to_str()?.parse().ok();
    let open: Vec<RawFd> = entries.flatten().filter_map(number).collect();
    for fd in open.into_iter().filter(|fd| *fd >= first) {
        match close(fd) {
            // The one by which we have read the directory.
            Ok(()) | Err(Errno::EBADF) => {}
            Err(errno) => return Err(errno).in_call(|| format!("close({fd})")),
        }
    }
    Ok(())
}

/// Gives every signal its default action and unblocks all, whatever the parent
/// of this process had set.
///
/// # Errors
/// EINVAL: cannot happen, the numbers are the kernel's own.
///
/// Source: execve(2), signal(7)
pub fn reset_signals() -> Result<()> {
    sys::reset_signals().in_call(|| "sigprocmask(SIG_SETMASK, [])".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(text: &str) -> CString {
        CString::new(text).unwrap()
    }

    #[test]
    fn a_name_is_searched_in_the_path_of_the_new_program() {
        let env = [c("HOME=/"), c("PATH=/a:/b")];
        assert_eq!(candidates(&c("sh"), &env), [c("/a/sh"), c("/b/sh")]);
    }

    #[test]
    fn a_path_is_not_searched() {
        assert_eq!(candidates(&c("./sh"), &[c("PATH=/a")]), [c("./sh")]);
    }
}
