//! The child's story, from its first instruction in the new namespaces to the
//! one with which it becomes the command.

use crate::OUR_FAILURE;
use crate::output::tell;
use crate::plan::Plan;
use namespaces::init;
use namespaces::process::{
    Gate, close_on_exec_from, exec, exec_failure_code, wait_for_end,
};
use namespaces::{InCall, Result, SyscallError};
use nix::errno::Errno;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use std::ffi::CString;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

/// Becomes the command, or init. Returns an exit code when init has ended, or
/// if we failed.
pub(crate) fn run(plan: &Plan, gate: &Gate, parent: BorrowedFd<'_>) -> i32 {
    if die_with(parent).and_then(|()| gate.wait()).is_err() {
        // The parent has failed, and says why.
        return OUR_FAILURE.into();
    }
    if let Err(error) = enter(plan, parent) {
        report(&error);
        return OUR_FAILURE.into();
    }
    if plan.init { be_init(plan) } else { become_command(&plan.argv) }
}

/// Stays as process 1, with the command as a child.
fn be_init(plan: &Plan) -> i32 {
    match init::run(|| become_command(&plan.argv)) {
        Ok(status) => status.code(),
        Err(error) => {
            report(&error);
            OUR_FAILURE.into()
        }
    }
}

/// Becomes the command; returns an exit code only if that failed.
pub(crate) fn become_command(argv: &[CString]) -> i32 {
    let error = exec(&argv[0], argv, &environment());
    report(&error);
    exec_failure_code(&error)
}

/// Ties our life to the parent's. Who is gone already sends no signal.
pub(crate) fn die_with(parent: BorrowedFd<'_>) -> Result<()> {
    set_pdeathsig(Signal::SIGKILL)
        .in_call(|| "prctl(PR_SET_PDEATHSIG, SIGKILL)".into())?;
    let gone = wait_for_end(parent, Duration::ZERO)?;
    let alive = if gone { Err(Errno::ESRCH) } else { Ok(()) };
    alive.in_call(|| "poll([parent])".into())
}

fn enter(plan: &Plan, parent: BorrowedFd<'_>) -> Result<()> {
    plan.steps.iter().try_for_each(|step| step.run())?;
    // Again: setuid(2) has cut the tie.
    die_with(parent)?;
    close_on_exec_from(3)
}

pub(crate) fn report(error: &SyscallError) {
    tell(error);
}

/// Hands our own environment on. The kernel let no NUL byte into it.
fn environment() -> Vec<CString> {
    let entry = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let bytes = [name.into_vec(), value.into_vec()].join(&b'=');
        CString::new(bytes).expect("the environment came in as C strings")
    };
    std::env::vars_os().map(entry).collect()
}
