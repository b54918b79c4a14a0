//! Process 1 of a pid namespace, as small as it can be. Three duties come with
//! the number: to reap every orphan, to hand on the signals that it is sent
//! (the kernel drops those it has no use for), and to end as the command ends.
//! With process 1 ends everything else in the namespace.

use crate::error::{InCall, Result};
use crate::process::{
    Child, ExitStatus, SpawnOptions, close_from, reap_any, spawn,
};
use crate::signals::forward;
use nix::sys::prctl::set_name;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::ffi::CStr;

/// What `ps -o comm` shows; at most 15 bytes.
const NAME: &CStr = c"isolate: init";

/// Is init: runs `command` as a child, until that has ended. The calling
/// process has to be PID 1 and to exit with what it gets. All its descriptors
/// above stderr are closed, so **it may drop none that it owns**.
///
/// # Errors
/// EAGAIN: the limit of processes is reached. ENOENT: /proc is not mounted.
///
/// Source: pid_namespaces(7), "The namespace init process"
// ANCHOR: run
pub fn run(command: impl FnOnce() -> i32) -> Result<ExitStatus> {
    set_name(NAME).in_call(|| format!("prctl(PR_SET_NAME, {NAME:?})"))?;
    // Whoever is root inside can open them as /proc/1/fd/N: some could be
    // directories of the host.
    close_from(3)?;
    // Blocked is not ignored: a signal waits until it is read, although we
    // have no handler. The command unblocks all when it is executed.
    SigSet::all().thread_block().in_call(|| "sigprocmask(..)".into())?;
    let signals = SignalFd::with_flags(&SigSet::all(), SfdFlags::SFD_CLOEXEC)
        .in_call(|| "signalfd(..)".into())?;

    let command = spawn(&SpawnOptions::default(), command)?;
    loop {
        // The one place where init waits.
        let signal = signals.read_signal();
        let Some(signal) = signal.in_call(|| "read(signalfd)".into())? else {
            continue;
        };
        if signal.ssi_signo != Signal::SIGCHLD as u32 {
            forward(&signal, &command)?;
        } else if let Some(status) = reap(&command)? {
            return Ok(status);
        }
    }
}
// ANCHOR_END: run

// ANCHOR: reap
/// Reaps all that have ended: one SIGCHLD can stand for many. Gives the status
/// of the command, if it is among them.
fn reap(command: &Child) -> Result<Option<ExitStatus>> {
    let mut ended = None;
    while let Some((pid, status)) = reap_any()? {
        if pid == command.pid() {
            ended = Some(status);
        }
    }
    Ok(ended)
}
// ANCHOR_END: reap
