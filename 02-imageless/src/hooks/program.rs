//! One hook: a program with the state on its standard input, a limited time,
//! and what it says kept, to be quoted if it fails. It is the leader of a process
//! group, which its timeout ends with it; and if who runs it is killed, so is it.

use super::output::Output;
use anyhow::{Context, Result, bail};
use namespaces::process::{
    Child, ExitStatus, SpawnOptions, close_on_exec_from, exec,
    exec_failure_code, spawn,
};
use namespaces::{InCall, SyscallError};
use nix::libc::SIGKILL;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, dup2_stderr, dup2_stdin, dup2_stdout, setpgid};
use oci_spec::runtime::Hook;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{PipeWriter, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// What execve(2) will be given.
pub(super) struct Program {
    path: CString,
    argv: Vec<CString>,
    env: Vec<CString>,
}

/// Translates `path`, `args` and `env`.
///
/// # Errors
/// A zero byte, which would cut the text short.
pub(super) fn plan(hook: &Hook) -> Result<Program> {
    let path = CString::new(hook.path().as_os_str().as_bytes())
        .with_context(|| format!("path: a zero byte in {:?}", hook.path()))?;
    let strings = |field, texts: &Option<Vec<String>>| {
        let texts = texts.iter().flatten();
        let strings = texts.map(|text| CString::new(text.as_str()));
        strings
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("{field}: a zero byte"))
    };
    let mut argv = strings("args", hook.args())?;
    if argv.is_empty() {
        // A program may count on having a name.
        argv.push(path.clone());
    }
    Ok(Program { path, argv, env: strings("env", hook.env())? })
}

/// Runs it to its end, or to the end of its time.
///
/// # Errors
/// It failed, was killed by a signal, or took too long.
pub(super) fn run(hook: &Hook, state: &[u8]) -> Result<()> {
    let program = plan(hook)?;
    let stdin = in_memory(c"state", state)?;
    let (mut output, its_end) = Output::new()?;
    let child = spawn(&SpawnOptions::default(), || {
        let Err(error) = program.start(&stdin, &its_end);
        // Into the pipe, or to nobody.
        let _ = writeln!(std::io::stderr(), "{error}");
        exec_failure_code(&error)
    })?;
    drop(its_end);
    let seconds = hook.timeout().map(i64::unsigned_abs);
    if !output.listen(child.pidfd(), seconds.map(Duration::from_secs))? {
        end(&child)?;
        bail!(
            "killed: it had not ended after its timeout of {} s",
            seconds.unwrap_or_default()
        );
    }
    let how = match child.wait()? {
        ExitStatus::Exited(0) => return Ok(()),
        ExitStatus::Exited(status) => format!("exit status {status}"),
        ExitStatus::Signaled(signal) => format!("ended by signal {signal}"),
    };
    match output.last_line().as_str() {
        "" => bail!("{how}"),
        said => bail!("{how}: {said}"),
    }
}

/// Kills it with those that it has started, and reaps it: only after that can
/// the number of its group come to mean another.
fn end(hook: &Child) -> Result<()> {
    match killpg(hook.pid(), Signal::SIGKILL) {
        // It has not come to make one.
        Err(nix::errno::Errno::ESRCH) => {}
        result => result.in_call(|| "killpg(hook, SIGKILL)".into())?,
    }
    hook.kill(SIGKILL)?;
    hook.wait()?;
    Ok(())
}

impl Program {
    /// Becomes the hook; for the child. Returns only if that failed.
    fn start(
        &self,
        stdin: &File,
        output: &PipeWriter,
    ) -> Result<std::convert::Infallible, SyscallError> {
        set_pdeathsig(Signal::SIGKILL)
            .in_call(|| "prctl(PR_SET_PDEATHSIG, SIGKILL)".into())?;
        let this = Pid::from_raw(0);
        setpgid(this, this).in_call(|| "setpgid(0, 0)".into())?;
        dup2_stdin(stdin)
            .and_then(|()| dup2_stdout(output))
            .and_then(|()| dup2_stderr(output))
            .in_call(|| "dup2(..)".into())?;
        close_on_exec_from(3)?;
        let error = exec(&self.path, &self.argv, &self.env);
        // One line is what will be quoted.
        Err(SyscallError { hint: None, ..error })
    }
}

fn in_memory(name: &CStr, contents: &[u8]) -> Result<File> {
    let memory = memfd_create(name, MFdFlags::MFD_CLOEXEC)
        .in_call(|| format!("memfd_create({name:?})"))?;
    let mut memory = File::from(memory);
    memory
        .write_all(contents)
        .and_then(|()| memory.rewind())
        .in_call(|| "write(memfd)".into())?;
    Ok(memory)
}
