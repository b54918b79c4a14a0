//! The child's story, from its first instruction in the new namespaces to the
//! one with which it becomes the command.

use crate::OUR_FAILURE;
use crate::plan::Plan;
use namespaces::process::{Gate, close_on_exec_from, exec, exec_failure_code};
use namespaces::{InCall, Result, SyscallError};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use std::ffi::CString;
use std::os::unix::ffi::OsStringExt;

/// Becomes the command. Returns an exit code only if that failed.
pub(crate) fn run(plan: &Plan, gate: &Gate) -> i32 {
    if wait_for_parent(gate).is_err() {
        // The parent has failed, and says why.
        return OUR_FAILURE.into();
    }
    if let Err(error) = enter(plan) {
        report(&error);
        return OUR_FAILURE.into();
    }
    let error = exec(&plan.argv[0], &plan.argv, &environment());
    report(&error);
    exec_failure_code(&error)
}

/// Ties our life to the parent's, then waits until it has prepared us. In this
/// order a parent that dies in between is noticed, one way or the other.
fn wait_for_parent(gate: &Gate) -> Result<()> {
    set_pdeathsig(Signal::SIGKILL)
        .in_call(|| "prctl(PR_SET_PDEATHSIG, SIGKILL)".into())?;
    gate.wait()
}

fn enter(plan: &Plan) -> Result<()> {
    plan.steps.iter().try_for_each(|step| step.run())?;
    close_on_exec_from(3)
}

fn report(error: &SyscallError) {
    eprintln!("isolate: {error}");
}

/// Hands our own environment on. The kernel let no NUL byte into it.
fn environment() -> Vec<CString> {
    let entry = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let bytes = [name.into_vec(), value.into_vec()].join(&b'=');
        CString::new(bytes).expect("the environment came in as C strings")
    };
    std::env::vars_os().map(entry).collect()
}
