//! What can be done with a container, and when: one table of transitions, and
//! the verbs that act on a container that is there. `create.rs` makes one.

use crate::container::{Container, Status};
use crate::start;
use anyhow::{Context, Result, bail};
use namespaces::process;
use nix::libc::SIGKILL;
use std::os::fd::AsFd;
use std::time::Duration;

/// A verb that needs the container in a certain status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Start,
    Kill,
    Delete,
    Exec,
}

/// Says whether a verb may act now.
///
/// # Errors
/// In words that engines look for: "container not running", "not stopped".
///
/// Source: runtime-spec: runtime.md, "Lifecycle", "Operations"
// ANCHOR: permit
pub(crate) fn permit(verb: Verb, status: Status) -> Result<()> {
    match (verb, status) {
        (Verb::Start, Status::Created) => Ok(()),
        (Verb::Start, Status::Creating | Status::Running | Status::Stopped) => {
            bail!("cannot start a container that is {status}")
        }
        (Verb::Kill, Status::Created | Status::Running) => Ok(()),
        (Verb::Kill, Status::Stopped) => bail!("container not running"),
        (Verb::Kill, Status::Creating) => {
            bail!("container not running: it is still being created")
        }
        (Verb::Exec, Status::Created | Status::Running) => Ok(()),
        (Verb::Exec, Status::Creating | Status::Stopped) => {
            bail!("cannot exec in a container that is {status}")
        }
        // runc, crun and youki delete a created container, and engines count on
        // it.
        (Verb::Delete, Status::Created | Status::Stopped) => Ok(()),
        (Verb::Delete, Status::Creating | Status::Running) => {
            bail!(
                "cannot delete a container that is not stopped: it is \
                 {status}\nhint: `kill` it first, or `delete --force`"
            )
        }
    }
}
// ANCHOR_END: permit

/// Lets the created container's init become the user's program.
///
/// # Errors
/// The container is not created, or not any more.
///
/// Source: runtime-spec: runtime.md, "Start"
pub(crate) fn start(container: &Container) -> Result<()> {
    permit(Verb::Start, container.status())?;
    start::release(&container.fifo())
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
            state.cgroup.signal(signal)
        }
        (Target::Init | Target::All, _) => {
            permit(Verb::Kill, container.status())?;
            let init =
                container.init_handle()?.context("container not running")?;
            Ok(process::kill(init.as_fd(), signal)?)
        }
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
    force_delete(container)
}

/// Deletes in any status, also what a crashed `create` has left.
pub(crate) fn force_delete(container: &Container) -> Result<()> {
    /// Long for a process to die, short for a person who waits.
    const LIMIT: Duration = Duration::from_secs(10);
    if let Some(init) = container.init_handle()? {
        process::kill(init.as_fd(), SIGKILL)?;
        if !process::wait_for_end(init.as_fd(), LIMIT)? {
            bail!(
                "init was killed and has not ended after {LIMIT:?}
hint: /proc/PID/stack shows what it waits for"
            );
        }
    }
    if let Some(state) = &container.state {
        match state.init {
            Some(_) => {
                state.cgroup.kill()?;
                state.cgroup.remove()?;
            }
            // `create` was killed before it could tell whose the processes in
            // the cgroup are.
            None => state.cgroup.remove_if_unused()?,
        }
    }
    container.remove()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verb_is_permitted_only_where_the_lifecycle_has_it() {
        use Status::{Created, Creating, Running, Stopped};
        for (verb, permitted) in [
            (Verb::Start, &[Created][..]),
            (Verb::Kill, &[Created, Running]),
            (Verb::Delete, &[Created, Stopped]),
            (Verb::Exec, &[Created, Running]),
        ] {
            for status in [Creating, Created, Running, Stopped] {
                assert_eq!(
                    permit(verb, status).is_ok(),
                    permitted.contains(&status),
                    "{verb:?} {status}"
                );
            }
        }
    }
}
