//! Checks of a filter of system calls, by what a command under it could do.

use super::held::Held;
use super::proc::{identity, status};
use super::{Claim, Subject};
use anyhow::Result;
use nix::libc::SYS_chdir;

static FILTERED: Claim = Claim {
    name: "the command is under a filter",
    likely: "seccomp(2) was not called before execve(2), or failed",
    man: "man 2 seccomp",
};

static REFUSED: Claim = Claim {
    name: "the call is refused",
    likely: "the filter's answer to that number is still ALLOW",
    man: "man 2 seccomp, \"struct seccomp_data\"",
};

/// The command was to be refused chdir(2), and nothing else.
pub(crate) fn refuses(subject: &Subject<'_>) -> Result<()> {
    let number = SYS_chdir.to_string();
    // Whatever else is refused, the shell would not come to its `cat`.
    let command = ["sh", "-c", "cd /proc; exec cat -"];
    let held = Held::start(subject.program, &[number.into()], &command)?;
    let command = held.command()?;
    let mode = status(command, "Seccomp").unwrap_or_default().join(" ");
    FILTERED.same(&"2".to_owned(), &mode)?;
    let cwd = identity(format!("/proc/{command}/cwd"))?;
    let stands = match cwd == identity("/proc")? {
        true => "it stands in /proc",
        false => "it stands where it was",
    };
    REFUSED.same(&"it stands where it was", &stands)
}
