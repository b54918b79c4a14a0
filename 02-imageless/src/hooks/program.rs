//! One hook: a program with the state on its standard input, a limited time,
//! and what it says kept, to be quoted if it fails.
//!
//! Input and output are files in memory, not pipes: whoever still holds one
//! when the hook has ended, such as a daemon that it made, keeps nobody
//! waiting.

use anyhow::{Context, Result, bail};
use namespaces::process::{
    ExitStatus, SpawnOptions, close_on_exec_from, exec, exec_failure_code,
    spawn, wait_for_end,
};
use namespaces::{InCall, SyscallError};
use nix::libc::SIGKILL;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};
use oci_spec::runtime::Hook;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
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
    let mut output = in_memory(c"hook's output", b"")?;
    let child = spawn(&SpawnOptions::default(), || {
        let Err(error) = program.start(&stdin, &output);
        eprintln!("{error}");
        exec_failure_code(&error)
    })?;
    if let Some(seconds) = hook.timeout() {
        let limit = Duration::from_secs(seconds.unsigned_abs());
        if !wait_for_end(child.pidfd(), limit)? {
            child.kill(SIGKILL)?;
            child.wait()?;
            bail!("killed: it had not ended after its timeout of {seconds} s");
        }
    }
    let how = match child.wait()? {
        ExitStatus::Exited(0) => return Ok(()),
        ExitStatus::Exited(status) => format!("exit status {status}"),
        ExitStatus::Signaled(signal) => format!("ended by signal {signal}"),
    };
    match last_line(&mut output)?.as_str() {
        "" => bail!("{how}"),
        said => bail!("{how}: {said}"),
    }
}

impl Program {
    /// Becomes the hook; for the child. Returns only if that failed.
    fn start(
        &self,
        stdin: &File,
        output: &File,
    ) -> Result<std::convert::Infallible, SyscallError> {
        dup2_stdin(stdin)
            .and_then(|()| dup2_stdout(output))
            .and_then(|()| dup2_stderr(output))
            .in_call(|| "dup2(memfd, ..)".into())?;
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

/// Finds it near the end: a hook may have said much.
fn last_line(output: &mut File) -> Result<String> {
    const MOST: u64 = 4096;
    let mut text = Vec::new();
    let length = output.seek(SeekFrom::End(0));
    length
        .and_then(|length| {
            output.seek(SeekFrom::Start(length.saturating_sub(MOST)))
        })
        .and_then(|_| output.read_to_end(&mut text))
        .in_call(|| "read(memfd)".into())?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    Ok(line.unwrap_or_default().trim().to_owned())
}
