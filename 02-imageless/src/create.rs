//! `create`, step by step; each step that fails undoes itself, and so do those
//! before it. After a crash at any moment `delete --force` finds what is there.

use crate::cgroups::Manager;
use crate::config::Bundle;
use crate::console::{Console, Courier};
use crate::container::Container;
use crate::every_process::Keyring;
use crate::hooks::{self, Moment};
use crate::id::Id;
use crate::init::{self, Inheritance};
use crate::kept_fds::KeptFds;
use crate::log;
use crate::net_devices::Moved;
use crate::pidfd_socket::PidfdSocket;
use crate::plan::Plan;
use crate::removal;
use crate::seccomp::Agent;
use crate::start;
use crate::state::{Init, State, replace};
use crate::sync::Sync;
use anyhow::{Context, Error, Result};
use namespaces::InCall;
use namespaces::cgroup::{Cgroup, Entrance};
use namespaces::process::{self, Child, SpawnOptions};
use nix::libc::SIGKILL;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What `create` and `run` are told.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: Id,
    pub(crate) bundle: PathBuf,
    pub(crate) cgroup_manager: Manager,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) pidfd_socket: Option<PidfdSocket>,
    pub(crate) console: Console,
    pub(crate) kept_fds: KeptFds,
    pub(crate) keyring: Keyring,
}

/// A container whose init waits for `start`.
#[derive(Debug)]
pub(crate) struct Created {
    pub(crate) container: Container,
    /// Reaped by the caller if it waits for it, else by whoever adopts it when
    /// the caller exits.
    pub(crate) init: Child,
    /// The terminal's master, if it is to be held in the foreground.
    pub(crate) terminal: Option<OwnedFd>,
}

/// Makes a container whose init waits for `start`. If anything fails, nothing of
/// it stays.
///
/// # Errors
/// One line that names the field or the system call; init's own words if it was
/// init that failed.
///
/// Source: runtime-spec: runtime.md, "Create"
pub(crate) fn create(root: &Path, request: &Request) -> Result<Created> {
    let mut bundle = Bundle::open(&request.bundle)?;
    request.kept_fds.announce(bundle.process_mut());
    let (manager, keyring) = (request.cgroup_manager, request.keyring);
    let plan = Plan::new(bundle, &request.id, manager, keyring)?;
    let courier = request.console.courier(&plan.process.config)?;
    let agent = plan.process.common.agent()?;
    let container = Container::create(root, &request.id)?;
    let moved = Moved::default();
    let mut attempt =
        Attempt { container, plan, courier, agent, request, moved };
    match attempt.make_cgroup() {
        Ok((init, terminal)) => {
            Ok(Created { container: attempt.container, init, terminal })
        }
        // Somebody has deleted it meanwhile, and run the last hooks.
        Err(error) if !attempt.container.is_still_ours() => {
            Err(error.context("the container was deleted while it was created"))
        }
        Err(error) => {
            let error = undone(removal::forget(&attempt.container), error);
            // What the hooks have done before, others may have to undo.
            let state = attempt.container.state.iter();
            for warning in state.flat_map(hooks::run_poststop) {
                // Not in the log: podman reads that of a create as one record,
                // the error's.
                log::say(&format!("warning: {warning:#}"));
            }
            Err(error)
        }
    }
}

const SAVED: &str = "make_cgroup saves it before there is an init";

/// A container on its way to being created.
struct Attempt<'a> {
    container: Container,
    plan: Plan,
    courier: Option<Courier>,
    agent: Option<Agent>,
    request: &'a Request,
    moved: Moved,
}

impl Attempt<'_> {
    fn make_cgroup(&mut self) -> Result<(Child, Option<OwnedFd>)> {
        let Self { container, plan, request, .. } = self;
        plan.cgroup.refuse_if_in_use()?;
        // Before the cgroup exists, so that a crash does not lose its path.
        container.save(State::new(plan, &request.id))?;
        for mount in &plan.mounts {
            mount.make_outside(&plan.isolation)?;
        }
        let mut cgroup =
            plan.cgroup.create(&plan.limits, &plan.device_rules)?;
        cgroup.iter_mut().for_each(Cgroup::keep);
        let entrance = cgroup.as_ref().map(Cgroup::entrance).transpose();
        entrance
            .map_err(Into::into)
            .and_then(|entrance| self.make_init(entrance.as_ref()))
            .map_err(|error| undone(self.remove_cgroup(), error))
    }

    /// If another container has our id by now, its cgroup has that name too.
    fn remove_cgroup(&self) -> Result<()> {
        match self.container.is_still_ours() {
            true => self.plan.cgroup.remove(),
            false => self.plan.cgroup.remove_if_unused().map(drop),
        }
    }

    // ANCHOR: make_init
    fn make_init(
        &mut self,
        entrance: Option<&Entrance>,
    ) -> Result<(Child, Option<OwnedFd>)> {
        let fifos = self.make_fifos()?;
        let mut sync = Sync::new()?;
        let agent = self.agent.take();
        let plan = &self.plan;
        let inheritance = self.inheritance(&fifos, entrance);
        let options = SpawnOptions {
            namespaces: plan.isolation.for_clone(),
            cgroup: entrance.and_then(Entrance::born_in),
        };
        plan.isolation.join_for_children()?;
        let child = process::spawn(&options, || {
            self.container.let_go_of_place();
            init::run(plan, inheritance, agent, sync.init_end())
        })?;
        let created = self
            .equip(&child)
            .and_then(|()| {
                sync.into_runtime_end().let_go(|| self.run_hooks(&child))
            })
            .and_then(|()| self.publish(&child));
        match created {
            Ok(terminal) => Ok((child, terminal)),
            Err(error) => Err(self.give_up(&child, error)),
        }
    }
    // ANCHOR_END: make_init

    /// Gives init what only the runtime can give it.
    fn equip(&mut self, child: &Child) -> Result<()> {
        self.container.save_init(Init::of(child.pid().as_raw())?)?;
        self.plan.isolation.maps.write(child.pid())?;
        let Plan { cgroup, limits, device_rules, .. } = &self.plan;
        cgroup.start_scope(child.pid(), limits, device_rules)?;
        let Plan { net_devices, isolation, .. } = &self.plan;
        self.moved.move_in(net_devices, isolation, child)
    }

    /// Before init ends, and the network namespace with it.
    fn give_up(&mut self, child: &Child, error: Error) -> Error {
        let error = undone(self.moved.give_back(), error);
        undone(end(child), error)
    }

    /// The second is only for hooks around the start.
    fn make_fifos(&self) -> Result<(OwnedFd, Option<OwnedFd>)> {
        let hooks = self.plan.bundle.spec.hooks().as_ref();
        let around = [Moment::StartContainer, Moment::Poststart];
        let outcome = hooks::any(hooks, &around)
            .then(|| start::make_fifo(&self.container.outcome_fifo()))
            .transpose()?;
        Ok((start::make_fifo(&self.container.unready_fifo())?, outcome))
    }

    fn inheritance<'a>(
        &'a self,
        (fifo, outcome): &'a (OwnedFd, Option<OwnedFd>),
        entrance: Option<&'a Entrance>,
    ) -> Inheritance<'a> {
        Inheritance {
            state: self.container.state.as_ref().expect(SAVED),
            fifo: fifo.as_fd(),
            outcome: outcome.as_ref().map(AsFd::as_fd),
            entrance,
            console: self.courier.as_ref().map(Courier::sender),
            kept_fds: self.request.kept_fds.count(),
        }
    }

    /// While init waits, its mounts made.
    fn run_hooks(&self, child: &Child) -> Result<()> {
        let state = self.container.state.as_ref().expect(SAVED);
        let pid = child.pid().as_raw();
        hooks::run(Moment::Prestart, state, pid)?;
        hooks::run(Moment::CreateRuntime, state, pid)
    }

    /// Makes the container "created": for us by the FIFO's name, for the engine
    /// by the pid file and the pidfd; and takes its terminal, if it is ours to hold.
    fn publish(&self, child: &Child) -> Result<Option<OwnedFd>> {
        let fifo = self.container.fifo();
        fs::rename(self.container.unready_fifo(), &fifo)
            .in_call(|| format!("rename(.., {fifo:?})"))?;
        if let Some(pid_file) = &self.request.pid_file {
            let pid = child.pid().to_string();
            replace(pid_file, pid.as_bytes()).context("--pid-file")?;
        }
        if let Some(socket) = &self.request.pidfd_socket {
            socket.send("standard", child)?;
        }
        self.courier.as_ref().map_or(Ok(None), Courier::receive)
    }
}

/// Ends and reaps a process that will not become a program.
pub(crate) fn end(child: &Child) -> Result<()> {
    child.kill(SIGKILL)?;
    child.wait()?;
    Ok(())
}

/// The error that made `create` fail is the one to tell; one in the clean-up is
/// told with it.
fn undone(undo: Result<()>, error: anyhow::Error) -> anyhow::Error {
    match undo {
        Ok(()) => error,
        Err(left) => {
            error.context(format!("not cleaned up ({left:#}) after a failure"))
        }
    }
}
