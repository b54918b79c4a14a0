//! The end of a container: its processes, its cgroup, its state. One process at a
//! time removes it. Of two at once, the late one could meet a new container, of
//! the same id and so of the same paths, and end that one.

use crate::container::Container;
use crate::lifecycle::thaw;
use crate::{hooks, log};
use anyhow::{Result, bail};
use namespaces::InCall;
use namespaces::process;
use nix::fcntl::{Flock, FlockArg};
use nix::libc::SIGKILL;
use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Deletes in any status, also what a crashed `create` has left. No error if
/// somebody else has done it.
///
/// # Errors
/// Init, killed, has not ended after 10 s.
///
/// Source: runtime-spec: runtime.md, "Delete"
pub(crate) fn force_delete(container: &Container) -> Result<()> {
    let removed = remove(container)?;
    let state = removed.iter().filter_map(|removed| removed.state.as_ref());
    let warnings = state.flat_map(hooks::run_poststop);
    warnings.for_each(|warning| log::warning(&warning));
    Ok(())
}

/// Removes the state of a container that has not come to be.
pub(crate) fn forget(container: &Container) -> Result<()> {
    match lock(container)? {
        Some(lock) => lock.container.remove(),
        None => Ok(()),
    }
}

/// For how long to wait: much for a process to die, little for a person.
const LIMIT: Duration = Duration::from_secs(10);

/// Gives what it has removed; `None` if somebody else has.
fn remove(container: &Container) -> Result<Option<Container>> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let Some(lock) = lock(container)? else { return Ok(None) };
        // As it is now: a `create` may have come further meanwhile.
        let Lock { container, held } = lock;
        if is_cleaned_up(&container)? || Instant::now() >= deadline {
            container.remove()?;
            return Ok(Some(container));
        }
        // It is being created, and its init is not noted yet: that needs the
        // lock. Or that `create` was killed, and its init ends by itself.
        drop(held);
        std::thread::yield_now();
    }
}

/// Ends all processes and removes the cgroup. `false`: somebody is in it whom we
/// do not know yet.
fn is_cleaned_up(container: &Container) -> Result<bool> {
    let Some(state) = &container.state else { return Ok(true) };
    if state.init.is_none() {
        return state.cgroup.remove_if_unused();
    }
    end_init(container)?;
    // Mostly nobody is left. To look whether somebody is would take longer than
    // to let the kernel refuse: on v1, a file to read in each hierarchy.
    if !state.cgroup.remove_if_empty()? {
        state.cgroup.kill()?;
        state.cgroup.remove()?;
    }
    Ok(true)
}

fn end_init(container: &Container) -> Result<()> {
    let Some(init) = container.init_handle()? else { return Ok(()) };
    process::kill(init.as_fd(), SIGKILL)?;
    thaw(container)?;
    if !process::wait_for_end(init.as_fd(), LIMIT)? {
        bail!(
            "init was killed and has not ended after {LIMIT:?}
hint: /proc/PID/stack shows what it waits for"
        );
    }
    Ok(())
}

/// The right to remove a container.
struct Lock {
    container: Container,
    /// On the state directory itself. The kernel takes it back after a crash.
    held: Flock<File>,
}

/// Waits until nobody else removes it. `None`: somebody has, and what has its
/// path now, if anything, is another one.
fn lock(container: &Container) -> Result<Option<Lock>> {
    let dir = match File::open(&container.dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        result => result.in_call(|| format!("open({:?})", container.dir))?,
    };
    let held = hold(dir)?;
    let now = container.look_again(&held)?;
    Ok(now.map(|container| Lock { container, held }))
}

/// Waits until nobody else holds a state directory.
///
/// # Errors
/// EINTR: a signal handler ran.
///
/// Source: flock(2)
pub(crate) fn hold(dir: File) -> Result<Flock<File>> {
    let held = Flock::lock(dir, FlockArg::LockExclusive);
    Ok(held
        .map_err(|(_, errno)| errno)
        .in_call(|| "flock(.., LOCK_EX)".into())?)
}
