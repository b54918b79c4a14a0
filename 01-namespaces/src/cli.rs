//! The command line of isolate(1). Short options are those of unshare(1).

use anyhow::{Result, anyhow, bail};
use clap::Parser;
use clap::error::{ContextKind, ErrorKind};
use namespaces::cgroup::{Limit, Limits};
use namespaces::namespace::{Namespace, Namespaces};
use std::ffi::OsString;
use std::path::PathBuf;

/// Runs a command in namespaces and a cgroup of its own
///
/// Exit code: the command's; 128 plus the signal that ended it; 127 if it was
/// not found, 126 if it cannot be executed, 125 if isolate itself failed.
#[derive(Debug, Parser)]
#[command(name = "isolate", version)]
pub(crate) struct Options {
    /// New user namespace, you are root in it (an ordinary user always gets it)
    #[arg(short = 'U', long)]
    user: bool,
    /// New pid namespace: the command is PID 1
    #[arg(short, long)]
    pid: bool,
    /// New mount namespace: what is mounted inside stays inside
    #[arg(short, long)]
    mount: bool,
    /// New UTS namespace: its own host name
    #[arg(short, long)]
    uts: bool,
    /// New IPC namespace: its own System V IPC and message queues
    #[arg(short, long)]
    ipc: bool,
    /// New network namespace: nothing but a loopback device that is down
    #[arg(short, long)]
    net: bool,
    /// New cgroup namespace: its cgroup looks like the root of the tree
    #[arg(short = 'C', long)]
    cgroup: bool,
    /// New time namespace
    #[arg(short = 'T', long)]
    time: bool,

    /// Host name inside (makes a UTS namespace)
    #[arg(long, value_name = "NAME")]
    pub(crate) hostname: Option<OsString>,
    /// Directory that becomes `/` (makes a mount namespace)
    #[arg(long, value_name = "DIR")]
    pub(crate) rootfs: Option<PathBuf>,
    /// Memory limit in bytes, or with K, M, G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    #[arg(allow_hyphen_values = true)]
    memory: Option<u64>,
    /// Limit of processes and threads
    #[arg(long, value_name = "N", value_parser = count)]
    #[arg(allow_hyphen_values = true)]
    pids: Option<u64>,

    /// Print what would be done, system call by system call, and do nothing
    #[arg(long)]
    pub(crate) plan: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true)]
    pub(crate) command: Vec<OsString>,
}

/// Reads the command line. `None`: it asked for help or the version, which is
/// printed.
pub(crate) fn parse() -> Result<Option<Options>> {
    match Options::try_parse() {
        Ok(options) => Ok(Some(options)),
        Err(error) if !error.use_stderr() => {
            // Who reads it may stop halfway, as head(1) does.
            let _ = error.print();
            Ok(None)
        }
        Err(error) => Err(one_line(&error)),
    }
}

/// Says what is wrong with the command line in one line, and where help is.
fn one_line(error: &clap::Error) -> anyhow::Error {
    let text = error.to_string();
    let what = text.lines().next().unwrap_or_default();
    let what = what.trim_start_matches("error: ");
    let what = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::MissingRequiredArgument, _) => "no command to run",
        _ => what,
    };
    anyhow!("{what}\nhint: isolate --help")
}

impl Options {
    /// Lists the namespaces to make: those asked for, and those that other
    /// options need.
    pub(crate) fn namespaces(&self) -> Namespaces {
        let asked = [
            (Namespace::User, self.user),
            (Namespace::Pid, self.pid),
            (Namespace::Mount, self.mount || self.rootfs.is_some()),
            (Namespace::Uts, self.uts || self.hostname.is_some()),
            (Namespace::Ipc, self.ipc),
            (Namespace::Net, self.net),
            (Namespace::Cgroup, self.cgroup),
            (Namespace::Time, self.time),
        ];
        asked.into_iter().filter(|(_, on)| *on).map(|(ns, _)| ns).collect()
    }

    /// Gives the limits, if any was asked for.
    pub(crate) fn limits(&self) -> Option<Limits> {
        let memory = self.memory.map(Limit::At);
        let pids = self.pids.map(Limit::At);
        let limits = Limits { memory, pids, ..Limits::default() };
        (limits != Limits::default()).then_some(limits)
    }
}

/// Reads a size: a number, and K, M or G for powers of 1024.
fn size(text: &str) -> Result<u64> {
    let (number, shift) = match text.char_indices().next_back() {
        Some((at, 'K' | 'k')) => (&text[..at], 10),
        Some((at, 'M' | 'm')) => (&text[..at], 20),
        Some((at, 'G' | 'g')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let size = count(number)?.checked_mul(1 << shift);
    size.ok_or_else(|| anyhow!("too large"))
}

/// Reads a number above 0: a limit of nothing lets nothing run.
fn count(text: &str) -> Result<u64> {
    // Not `parse` alone: it takes a `+`.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!("not a number above 0");
    }
    match text.parse() {
        Ok(0) => bail!("not a number above 0"),
        Ok(number) => Ok(number),
        Err(_) => bail!("too large"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_in_powers_of_1024() {
        assert_eq!(size("64M").unwrap(), 67_108_864);
        assert_eq!(size("1").unwrap(), 1);
    }

    #[test]
    fn a_size_that_is_no_amount_is_refused() {
        for bad in
            ["", "0", "0M", "-1", "+1", "1.5M", "M", "1T", "99999999999G", "é"]
        {
            assert!(size(bad).is_err(), "{bad:?}");
        }
    }
}
