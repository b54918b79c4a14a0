//! Creating: the runtime makes the container and leaves; the container process
//! becomes our child, because we are the nearest subreaper. If it goes wrong,
//! nothing half-made stays, and the runtime's own words say why.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use namespaces::InCall;
use namespaces::process::{self, Child, ExitStatus, SpawnOptions};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use runc_naive::{Create, Force, Runtime};

use crate::cli::Options;
use crate::serve::{Container, Server};
use crate::stdio::WriteEnds;
use crate::sync_pipe::SYNC_PIPE;
use crate::{children, pidfile};

/// How long the runtime may take to delete what it has half made.
const DELETE_LIMIT: Duration = Duration::from_secs(10);

/// Creates the container. There is no limit of time: only the manager knows how
/// long its hooks and disks may take, and it can end the create with SIGTERM.
///
/// # Errors
/// The runtime's own words, or what is wrong with what it made. Then nothing is
/// left of the container.
pub(crate) fn create(
    options: &Options,
    server: &mut Server,
    ends: WriteEnds,
) -> Result<Container> {
    // A pid of an earlier container must not be taken for the answer of a
    // runtime that writes none.
    pidfile::remove(&options.container_pidfile)?;
    let runtime = Runtime::new(&options.runtime).args(&options.runtime_args);
    let child = spawn(command(options, &runtime, ends))?;
    let status = server.wait_for_runtime(&child, None)?;

    let created =
        verdict(status, server, &runtime).and_then(|()| adopt(options));
    created.map_err(|why| match undo(options, server, (&runtime, status)) {
        Ok(()) => why,
        Err(left) => why.context(format!("left behind: {left:#}")),
    })
}

fn command(options: &Options, runtime: &Runtime, ends: WriteEnds) -> Command {
    let create = Create {
        pid_file: Some(&options.container_pidfile),
        ..Create::new(&options.cid, &options.bundle)
    };
    let mut command = runtime.create_command(&create);
    command.env_remove(SYNC_PIPE).stdin(std::process::Stdio::null());
    command.stdout(ends.stdout).stderr(ends.stderr);
    command
}

/// Starts the runtime, tied to the shim: were the shim killed now, the runtime
/// would go on making a container that nobody monitors. (What it has already
/// forked survives: the tie is not inherited.)
fn spawn(mut command: Command) -> Result<Child> {
    let shim = Pid::this();
    let child = process::spawn(&SpawnOptions::default(), || {
        let error = match become_runtime(&mut command, shim) {
            Ok(never) => match never {},
            Err(error) => error,
        };
        // The pipe that becomes the container's stderr; `exec` has put it in
        // place.
        eprintln!("{error:#}");
        127
    })?;
    Ok(child) // drops the command, and with it our copies of the write ends
}

fn become_runtime(
    command: &mut Command,
    shim: Pid,
) -> Result<std::convert::Infallible> {
    prctl::set_pdeathsig(Signal::SIGKILL)
        .in_call(|| "prctl(PR_SET_PDEATHSIG, SIGKILL)".into())?;
    if nix::unistd::getppid() != shim {
        bail!("the shim was killed before the runtime could be tied to it");
    }
    // The shim's blocked signals would be inherited through execve(2), by the
    // runtime and by the container.
    process::reset_signals()?;
    let call = format!("execvp({:?})", command.get_program());
    Err(command.exec()).in_call(|| call).map_err(|error| match error.errno {
        nix::errno::Errno::ENOENT => {
            error.hint("name an OCI runtime that is installed").into()
        }
        _ => error.into(),
    })
}

/// Decides whether the runtime has done what it was asked.
fn verdict(
    status: ExitStatus,
    server: &mut Server,
    runtime: &Runtime,
) -> Result<()> {
    if let Some(signal) = server.cancelled() {
        bail!("create was given up: the shim got {signal}");
    }
    match status {
        ExitStatus::Exited(0) => Ok(()),
        ExitStatus::Exited(_) => {
            bail!("{}", runtime.error_message(&server.take_runtime_stderr()))
        }
        ExitStatus::Signaled(signal) => {
            bail!(
                "the runtime was killed by signal {signal}: {}",
                runtime.error_message(&server.take_runtime_stderr())
            )
        }
    }
}

/// Finds the container process, and makes sure that the kernel will tell us how
/// it ends.
fn adopt(options: &Options) -> Result<Container> {
    let pid = pidfile::read(&options.container_pidfile)?;
    if children::parent(pid) != Some(Pid::this()) {
        bail!(
            "process {pid} is no child of the shim, which could not \
             learn how it ends\n\
             hint: the runtime must not be a subreaper itself"
        );
    }
    Ok(Container { pid, pidfd: process::pidfd_open(pid)? })
}

/// Removes what a failed create has left.
///
/// A runtime that ends by itself with an error has cleaned up, and it may have
/// refused an id that is another container's: then deleting would hit the
/// other. So it is asked to delete only what is certainly ours.
fn undo(
    options: &Options,
    server: &mut Server,
    (runtime, status): (&Runtime, ExitStatus),
) -> Result<()> {
    let force = match status {
        // It says itself that it has made the container.
        ExitStatus::Exited(0) => Some(Force::Yes),
        ExitStatus::Exited(_) | ExitStatus::Signaled(_) => {
            let orphans = children::kill_all()?;
            // Without --force, a container that still runs is refused: with
            // ours dead, that is another one.
            let aborted = matches!(status, ExitStatus::Signaled(_));
            (orphans || aborted).then_some(Force::No)
        }
    };
    let deleted =
        force.map_or(Ok(()), |force| delete(options, server, (runtime, force)));
    children::kill_all()?;
    pidfile::remove(&options.container_pidfile)?;
    deleted
}

/// Has the runtime delete the container, in a process of its own, because a
/// call of the runtime has no limit of time.
fn delete(
    options: &Options,
    server: &mut Server,
    (runtime, force): (&Runtime, Force),
) -> Result<()> {
    use runc_naive::RuntimeError::NotFound;
    let child = process::spawn(&SpawnOptions::default(), || {
        match runtime.delete(&options.cid, force) {
            Ok(()) | Err(NotFound { .. }) => 0,
            Err(_) => 1,
        }
    })?;
    match server
        .wait_for_runtime(&child, Some(Instant::now() + DELETE_LIMIT))?
    {
        ExitStatus::Exited(0) => Ok(()),
        ExitStatus::Exited(_) => {
            bail!("the runtime does not delete the container")
        }
        ExitStatus::Signaled(_) => bail!(
            "the runtime does not delete the container in {DELETE_LIMIT:?}"
        ),
    }
}
