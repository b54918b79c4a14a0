//! What can be done with a container, and when: one table of transitions, and
//! the verbs that act on a container that is there. `create.rs` makes one.

use crate::container::{Container, Status};
use crate::hooks::{self, Moment};
use crate::members;
use crate::outcome::Outcome;
use crate::removal;
use crate::start;
use anyhow::{Context, Result, bail};
use namespaces::process;
use nix::libc::SIGKILL;
use std::os::fd::AsFd;

/// A verb that needs the container in a certain status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Start,
    Kill,
    Delete,
    Exec,
    /// `exec --ignore-paused`.
    ExecPaused,
    Pause,
    Resume,
    Update,
}

/// Says whether a verb may act now.
///
/// # Errors
/// In words that engines look for: "container not running", "not stopped".
///
/// Source: runtime-spec: runtime.md, "Lifecycle", "Operations"
// ANCHOR: permit
pub(crate) fn permit(verb: Verb, status: Status) -> Result<()> {
    use Status::{Created, Paused, Running, Stopped};
    let permitted: &[Status] = match verb {
        Verb::Start => &[Created],
        Verb::Kill | Verb::Update => &[Created, Running, Paused],
        Verb::Exec | Verb::Pause => &[Created, Running],
        Verb::ExecPaused => &[Created, Running, Paused],
        Verb::Resume => &[Paused],
        // runc, crun and youki delete a created container, and engines count on
        // it.
        Verb::Delete => &[Created, Stopped],
    };
    if permitted.contains(&status) { Ok(()) } else { refuse(verb, status) }
}
// ANCHOR_END: permit

fn refuse(verb: Verb, status: Status) -> Result<()> {
    match verb {
        Verb::Kill | Verb::Update if status == Status::Creating => {
            bail!("container not running: it is still being created")
        }
        Verb::Kill | Verb::Update => bail!("container not running"),
        Verb::Start => bail!("cannot start a container that is {status}"),
        Verb::Exec | Verb::ExecPaused => {
            bail!("cannot exec in a container that is {status}")
        }
        Verb::Pause => bail!("cannot pause a container that is {status}"),
        Verb::Resume => bail!("cannot resume a container that is {status}"),
        Verb::Delete => bail!(
            "cannot delete a container that is not stopped: it is \
             {status}\nhint: `kill` it first, or `delete --force`"
        ),
    }
}

/// Holds the container's processes still.
///
/// # Errors
/// Not running. ETIMEDOUT: one of them is stuck in the kernel.
pub(crate) fn pause(container: &Container) -> Result<()> {
    permit(Verb::Pause, container.status())?;
    container.cgroup()?.freeze()
}

/// Lets the container's processes go on.
///
/// # Errors
/// Not paused.
pub(crate) fn resume(container: &Container) -> Result<()> {
    permit(Verb::Resume, container.status())?;
    container.cgroup()?.thaw()
}

/// Lets the created container's init become the user's program, and runs the
/// hooks after that. If one fails, or the program that they belong to cannot be
/// executed, the container is deleted.
///
/// # Errors
/// The container is not created, or not any more. Names the hook.
///
/// Source: runtime-spec: runtime.md, "Start"
pub(crate) fn start(container: &Container) -> Result<()> {
    permit(Verb::Start, container.status())?;
    let outcome = Outcome::listen(&container.outcome_fifo())?;
    start::release(&container.fifo())?;
    let Some(outcome) = outcome else { return Ok(()) };
    let hooks_run = outcome.wait().and_then(|()| run_poststart(container));
    hooks_run.inspect_err(|_| {
        // The hook that failed is what has to be told.
        let _ = removal::force_delete(container);
    })
}

fn run_poststart(container: &Container) -> Result<()> {
    match (&container.state, container.init()) {
        (Some(state), Some(init)) => {
            hooks::run(Moment::Poststart, state, init.pid)
        }
        (None, _) | (_, None) => Ok(()),
    }
}

/// Sends a signal to init, or with `all` to every process of the container.
///
/// # Errors
/// "container not running".
///
/// Source: runtime-spec: runtime.md, "Kill"
pub(crate) fn kill(
    container: &Container,
    signal: i32,
    target: Target,
) -> Result<()> {
    let init = container.init();
    match (target, &container.state) {
        // Without an init the cgroup may be somebody else's: see below.
        (Target::All, Some(state)) if init.is_some() => {
            members::signal(state, signal)
        }
        (Target::Init | Target::All, _) => {
            permit(Verb::Kill, container.status())?;
            let init =
                container.init_handle()?.context("container not running")?;
            process::kill(init.as_fd(), signal)?;
            if signal == SIGKILL { thaw(container) } else { Ok(()) }
        }
    }
}

/// Lets a paused container die: on cgroup v1 even SIGKILL waits for that.
///
/// Source: cgroup-v1/freezer-subsystem.rst
pub(crate) fn thaw(container: &Container) -> Result<()> {
    match &container.state {
        Some(state) if state.cgroup.is_frozen() => state.cgroup.thaw(),
        Some(_) | None => Ok(()),
    }
}

/// Whom `kill` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The container's first process.
    Init,
    /// All of its processes; also when the first has ended.
    All,
}

/// Ends what is left of the container and removes its cgroup and its state; the
/// status must permit it, or force is used.
///
/// # Errors
/// Not stopped. Init, killed, has not ended after 10 s.
///
/// Source: runtime-spec: runtime.md, "Delete"
pub(crate) fn delete(container: &Container) -> Result<()> {
    permit(Verb::Delete, container.status())?;
    removal::force_delete(container)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_is_permitted_only_where_the_lifecycle_has_it() {
        use Status::{Created, Creating, Paused, Running, Stopped};
        for (verb, permitted) in [
            (Verb::Start, &[Created][..]),
            (Verb::Kill, &[Created, Running, Paused]),
            (Verb::Delete, &[Created, Stopped]),
            (Verb::Exec, &[Created, Running]),
            (Verb::ExecPaused, &[Created, Running, Paused]),
            (Verb::Pause, &[Created, Running]),
            (Verb::Resume, &[Paused]),
            (Verb::Update, &[Created, Running, Paused]),
        ] {
            for status in [Creating, Created, Running, Paused, Stopped] {
                assert_eq!(
                    permit(verb, status).is_ok(),
                    permitted.contains(&status),
                    "{verb:?} {status}"
                );
            }
        }
    }
}
