//! A process held by its handle while its files in /proc are read: if that
//! still lives at the end, its pid was nobody else's meanwhile.

use anyhow::bail;
use namespaces::kernel_file;
use namespaces::namespace::has_ended;
use namespaces::process::pidfd_open;
use namespaces::{InCall, Result};
use nix::errno::Errno;
use nix::unistd::Pid;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: i32,
    pidfd: OwnedFd,
}

impl Process {
    pub(super) fn open(pid: i32) -> Result<Self> {
        let pidfd = pidfd_open(Pid::from_raw(pid))?;
        Ok(Self { pid, pidfd })
    }

    /// Gives the name of its directory in /proc.
    pub(super) fn name(&self) -> String {
        self.pid.to_string()
    }

    /// Reads one of its files.
    pub(super) fn text(&self, file: &str) -> Result<String> {
        read(self.pid, file)
    }

    /// Reads one of its links, as [`shown`].
    pub(super) fn link(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.pid);
        let link = fs::read_link(&path);
        link.map(|to| shown(&to)).in_call(|| format!("readlink({path:?})"))
    }

    pub(super) fn status(&self) -> Result<Status> {
        Status::of(self.pid)
    }

    /// What was read by its pid may be another's if it has ended. One that
    /// nobody has waited for has ended too: it is in no namespace any more.
    pub(super) fn refuse_if_ended(&self) -> anyhow::Result<()> {
        if has_ended(self.pidfd.as_fd())? {
            bail!("process {} has ended", self.pid);
        }
        Ok(())
    }
}

/// Gives a path as text, which JSON has to be: what is no UTF-8 is replaced.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Reads a file of a process; what is no UTF-8 is replaced.
pub(super) fn read(pid: i32, file: &str) -> Result<String> {
    let path = format!("/proc/{pid}/{file}");
    let bytes = kernel_file::read(path.as_ref());
    let bytes = bytes.map_err(|error| match error.errno {
        Errno::ENOENT => error.hint("it has ended, or /proc is not mounted"),
        _ => error,
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The kernel's summary, which everybody may read.
///
/// Source: proc_pid_status(5)
#[derive(Debug)]
pub(super) struct Status(String);

impl Status {
    pub(super) fn of(pid: i32) -> Result<Self> {
        read(pid, "status").map(Self)
    }

    /// Gives what stands behind a name; nothing if this kernel has no such
    /// line.
    pub(super) fn field(&self, name: &str) -> &str {
        let mut lines = self.0.lines();
        let value = lines
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .unwrap_or_default();
        value.trim()
    }

    /// Gives the numbers behind a name.
    pub(super) fn numbers(&self, name: &str) -> Vec<u32> {
        let words = self.field(name).split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let status = Status("Seccomp_filters:\t2\nSeccomp:\t1\n".into());
        assert_eq!(status.field("Seccomp"), "1");
        assert_eq!(status.numbers("Seccomp_filters"), [2]);
        assert_eq!(status.field("NoNewPrivs"), "");
    }
}
