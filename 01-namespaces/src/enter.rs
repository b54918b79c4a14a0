//! `isolate enter PID|DIR [CMD..]`: runs a command in namespaces that exist,
//! where a process is or where files hold them, as nsenter(1) does.

use crate::child::{become_command, die_with, report};
use crate::cli::NamespaceOptions;
use crate::plan::c_strings;
use crate::{OUR_FAILURE, target::Target};
use anyhow::Result;
use clap::Args;
use namespaces::process::{
    Gate, SpawnOptions, close_on_exec_from, pidfd_open, spawn,
};
use namespaces::signals::Forwarding;
use namespaces::{InCall, Result as CallResult};
use nix::errno::Errno;
use nix::unistd::{Gid, Pid, Uid, setgroups, setresgid, setresuid};
use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};

/// Runs a command in namespaces that exist
///
/// Without options: in all those of the process (or of the directory's files)
/// that are not ours, in its cgroup, with its root and working directory. You
/// keep your own capabilities, unless you enter a user namespace: its root is
/// who you are then.
#[derive(Debug, Args)]
pub(crate) struct EnterOptions {
    /// Stay in our own cgroup
    #[arg(long)]
    no_cgroup: bool,
    /// A process, or a directory with files named as in /proc/PID/ns
    #[arg(value_name = "PID|DIR")]
    target: OsString,
    /// The command and its arguments [default: $SHELL, or sh]
    #[arg(trailing_var_arg = true)]
    command: Vec<OsString>,
    #[command(flatten)]
    namespaces: NamespaceOptions,
}

// ANCHOR: enter
/// The parent's story: it goes in first, because a pid namespace takes in only
/// the children of who joins it; then it makes that child.
pub(crate) fn enter(options: &EnterOptions) -> Result<u8> {
    let argv = c_strings(&options.command())?;
    let target = Target::open(&options.target, options.namespaces())?;
    let cgroups = match options.no_cgroup {
        true => Vec::new(),
        false => target.cgroups()?,
    };
    target.refuse_if_ended()?;
    let forwarding = Forwarding::start()?;
    let gate = Gate::new()?;
    let us = pidfd_open(Pid::this())?;

    let becomes_root = target.has_user_namespace();
    target.join()?;
    let child = spawn(&SpawnOptions::default(), || {
        run_inside(becomes_root, &gate, us.as_fd(), &argv)
    })?;
    if let Err(error) = add(&cgroups, child.pid()) {
        drop(gate);
        child.wait()?;
        return Err(error.into());
    }
    gate.open()?;
    Ok(forwarding.wait(&child)?.code() as u8)
}
// ANCHOR_END: enter

impl EnterOptions {
    fn command(&self) -> Vec<OsString> {
        if !self.command.is_empty() {
            return self.command.clone();
        }
        vec![std::env::var_os("SHELL").unwrap_or_else(|| "sh".into())]
    }

    fn namespaces(&self) -> Option<namespaces::namespace::Namespaces> {
        Some(self.namespaces.namespaces()).filter(|set| !set.is_empty())
    }
}

/// Moves the child into cgroups whose files were opened outside, where they can
/// be seen.
fn add(cgroups: &[File], pid: Pid) -> CallResult<()> {
    cgroups.iter().try_for_each(|mut procs| {
        procs
            .write_all(pid.to_string().as_bytes())
            .in_call(|| format!("write(cgroup.procs, \"{pid}\")"))
    })
}

/// The child's story.
fn run_inside(
    becomes_root: bool,
    gate: &Gate,
    parent: BorrowedFd<'_>,
    argv: &[CString],
) -> i32 {
    // First the ids: a change of them would cut the tie to our parent's life.
    let root = if becomes_root { become_root() } else { Ok(()) };
    if let Err(error) = root {
        report(&error);
        return OUR_FAILURE.into();
    }
    if die_with(parent).and_then(|()| gate.wait()).is_err() {
        // The parent has failed, and says why.
        return OUR_FAILURE.into();
    }
    match close_on_exec_from(3) {
        Ok(()) => become_command(argv),
        Err(error) => {
            report(&error);
            OUR_FAILURE.into()
        }
    }
}

/// Becomes root of the user namespace that was joined, without our groups; in
/// one where nobody is root, stays who we are.
fn become_root() -> CallResult<()> {
    let (root, group) = (Uid::from_raw(0), Gid::from_raw(0));
    match setgroups(&[]) {
        // Its owner was an ordinary user, who had to give that right up.
        Err(Errno::EPERM) => {}
        result => result.in_call(|| "setgroups([])".into())?,
    }
    for (done, call) in [
        (setresgid(group, group, group), "setresgid(0, 0, 0)"),
        (setresuid(root, root, root), "setresuid(0, 0, 0)"),
    ] {
        match done {
            Err(Errno::EINVAL) => {}
            result => result.in_call(|| call.into())?,
        }
    }
    Ok(())
}
