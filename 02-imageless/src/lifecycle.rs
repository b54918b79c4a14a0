//! What can be done with a container, and when: one table of transitions, and the verbs that act on the kernel.

use crate::config::Bundle;
use crate::container::{Container, Status};
use crate::id::Id;
use crate::init;
use crate::plan::Plan;
use crate::start;
use crate::state::{Init, State, replace};
use crate::sync::{RuntimeEnd, Sync};
use anyhow::{Context, Result, bail};
use namespaces::cgroup::{Cgroup, Version};
use namespaces::process::{self, Child, SpawnOptions};
use nix::libc::SIGKILL;
use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A verb that needs the container in a certain status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Start,
    Kill,
    Delete,
}

/// Says whether a verb may act now.
///
/// # Errors
/// In words that engines look for: "container not running", "not stopped".
///
/// Source: runtime-spec: runtime.md, "Lifecycle", "Operations"
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
        // runc, crun and youki delete a created container, and engines count on it.
        (Verb::Delete, Status::Created | Status::Stopped) => Ok(()),
        (Verb::Delete, Status::Creating | Status::Running) => {
            bail!(
                "cannot delete a container that is not stopped: it is {status}\nhint: `kill` it first, or `delete --force`"
            )
        }
    }
}

/// What `create` and `run` are told.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: Id,
    pub(crate) bundle: PathBuf,
    pub(crate) pid_file: Option<PathBuf>,
    /// How many descriptors after stderr the container keeps.
    pub(crate) kept_fds: u32,
}

/// Makes a container whose init waits for `start`. If anything fails, nothing of it stays.
///
/// Init is reaped by the caller if it waits for it, else by whoever adopts it when the caller exits.
///
/// # Errors
/// One line that names the field or the system call; init's own words if it was init that failed.
///
/// Source: runtime-spec: runtime.md, "Create"
pub(crate) fn create(
    root: &Path,
    request: &Request,
) -> Result<(Container, Child)> {
    let plan = Plan::new(Bundle::open(&request.bundle)?, &request.id)?;
    let mut container = Container::create(root, &request.id)?;
    match build(&mut container, &plan, request) {
        Ok(child) => Ok((container, child)),
        Err(error) => Err(undone(container.remove(), error)),
    }
}

/// The error that made a create fail is the one to tell; one in the clean-up is told with it.
fn undone(undo: Result<()>, error: anyhow::Error) -> anyhow::Error {
    match undo {
        Ok(()) => error,
        Err(left) => error
            .context(format!("not cleaned up ({left:#}) after this failure")),
    }
}

fn build(
    container: &mut Container,
    plan: &Plan,
    request: &Request,
) -> Result<Child> {
    // Before the cgroup exists: after a crash at any later moment `delete --force` knows what to remove.
    container.save(State::new(plan, &request.id))?;
    let mut cgroup = plan.cgroup.create(&plan.limits, &plan.device_rules)?;
    cgroup.keep();
    let child = make_init(container, plan, request, &cgroup);
    child.map_err(|error| undone(plan.cgroup.remove(), error))
}

fn make_init(
    container: &mut Container,
    plan: &Plan,
    request: &Request,
    cgroup: &Cgroup,
) -> Result<Child> {
    let fifo = start::make_fifo(&container.unready_fifo())?;
    let mut sync = Sync::pair()?;
    let cgroup_dir = cgroup.dir_fd()?;
    let cgroup_fd = cgroup_dir.as_ref().map(AsFd::as_fd);
    let options = SpawnOptions {
        namespaces: plan.isolation.for_clone(),
        cgroup: cgroup_fd,
    };
    plan.isolation.join_for_children()?;
    let child = process::spawn(&options, || {
        init::run(plan, request.kept_fds, fifo.as_fd(), sync.init_end())
    })?;
    let ready =
        hand_over(container, plan, &child, cgroup, sync.into_runtime_end())
            .and_then(|()| publish(container, request, &child));
    match ready {
        Ok(()) => Ok(child),
        Err(error) => Err(undone(end(&child), error)),
    }
}

/// Gives init what only the runtime can give it, and waits until it is ready.
fn hand_over(
    container: &mut Container,
    plan: &Plan,
    child: &Child,
    cgroup: &Cgroup,
    mut init: RuntimeEnd,
) -> Result<()> {
    container.save_init(Init::of(child.pid().as_raw())?)?;
    plan.isolation.maps.write(child.pid())?;
    if cgroup.version() == Version::V1 {
        cgroup.add(child.pid())?;
    }
    init.go()?;
    init.outcome()
}

/// Makes the container "created", for us (the FIFO's name) and for the engine (the pid file).
fn publish(
    container: &Container,
    request: &Request,
    child: &Child,
) -> Result<()> {
    let fifo = container.fifo();
    fs::rename(container.unready_fifo(), &fifo)
        .with_context(|| format!("rename to {}", fifo.display()))?;
    let Some(pid_file) = &request.pid_file else { return Ok(()) };
    replace(pid_file, child.pid().to_string().as_bytes()).context("--pid-file")
}

/// Ends and reaps an init that will not become a container.
fn end(child: &Child) -> Result<()> {
    child.kill(SIGKILL)?;
    child.wait()?;
    Ok(())
}

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
    match (target, &container.state) {
        (Target::All, Some(state)) => state.cgroup.signal(signal),
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

/// Ends what is left of the container and removes its cgroup and its state; the status must permit it, or [`force`] is used.
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
        // Without an init nothing of ours was ever in the cgroup: if there are
        // processes in it, `create` was killed before it could tell that they
        // are somebody else's.
        if state.init.is_some() {
            state.cgroup.kill()?;
        }
        state.cgroup.remove()?;
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
