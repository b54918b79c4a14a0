//! `exec`: one more process in a container that is there. No new namespaces:
//! it joins those of init, and its cgroup. What stands in it has been the
//! container's to change for hours, so until execve(2) it must not be able to
//! see or touch the process that comes in.

use crate::affinity::Affinity;
use crate::console::{Console, Slave, Terminal};
use crate::container::{Container, Status};
use crate::create::end;
use crate::joining::Joining;
use crate::kept_fds::KeptFds;
use crate::outside::Outside;
use crate::pidfd_socket::PidfdSocket;
use crate::process::Planned;
use crate::seccomp::Agent;
use crate::state::{State, replace};
use crate::sync::{InitEnd, Sync};
use anyhow::{Context, Result};
use namespaces::InCall;
use namespaces::cgroup::{Cgroup, Entrance};
use namespaces::namespace::Namespaces;
use namespaces::process::{self, Child, SpawnOptions, close_on_exec_from};
use namespaces::root::Root;
use nix::sys::prctl;
use nix::sys::stat::{Mode, umask};
use nix::unistd::setsid;
use oci_spec::runtime::Process;
use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// What `exec` is told.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) process: Process,
    pub(crate) console: Console,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) pidfd_socket: Option<PidfdSocket>,
    pub(crate) kept_fds: KeptFds,
    /// Below the container's own cgroup.
    pub(crate) cgroup: Option<PathBuf>,
}

/// A process that runs in the container.
#[derive(Debug)]
pub(crate) struct Started {
    /// Reaped by the caller if it waits for it, else by whoever adopts it when
    /// the caller exits.
    pub(crate) child: Child,
    /// The terminal's master, if it is to be held in the foreground.
    pub(crate) terminal: Option<OwnedFd>,
}

/// Starts a process in a container. If that fails, there is none.
///
/// # Errors
/// One line that names the field or the system call; the process' own words if
/// it was the one that failed.
///
/// Source: the command line of runc, exec
pub(crate) fn exec(
    container: &Container,
    mut request: Request,
) -> Result<Started> {
    request.kept_fds.announce(&mut request.process);
    let state = container.state.as_ref().context("container not running")?;
    let affinity = Affinity::plan(&request.process)?;
    let process = Planned::new(request.process, state.every_process.clone())?;
    let courier = request.console.courier(&process.config)?;
    let agent = process.common.agent()?;
    let joining = Joining::plan(container)?;
    let cgroup = open_cgroup(container, request.cgroup.as_deref())?;
    let kept_fds = request.kept_fds;
    let member = Member { process, affinity, joining, kept_fds, state };
    let slave = match &courier {
        Some(courier) => {
            // By the root of init, from outside: no path of the container is
            // followed, and no process of its sees a descriptor of ours.
            let root = Root::open(&member.joining.root())?;
            let terminal = Terminal::open(&root, &member.process.config)
                .context("process.terminal")?;
            Some(terminal.send(courier.sender())?)
        }
        None => None,
    };
    let child = member.spawn(cgroup.as_ref(), slave, agent)?;
    let noted = request.pid_file.map_or(Ok(()), |file| {
        let pid = child.pid().to_string();
        replace(&file, pid.as_bytes()).context("--pid-file")
    });
    let sent = noted.and_then(|()| match &request.pidfd_socket {
        Some(socket) => socket.send("setns", &child),
        None => Ok(()),
    });
    let terminal = sent.and_then(|()| match &courier {
        Some(courier) => courier.receive(),
        None => Ok(None),
    });
    match terminal {
        Ok(terminal) => Ok(Started { child, terminal }),
        Err(error) => end(&child).and(Err(error)),
    }
}

fn open_cgroup(
    container: &Container,
    below: Option<&Path>,
) -> Result<Option<Cgroup>> {
    let place = container.cgroup()?;
    match below {
        None => place.open(),
        Some(below) => place.open_below(below).context("--cgroup").map(Some),
    }
}

/// A process on its way into the container.
#[derive(Debug)]
struct Member<'a> {
    process: Planned,
    affinity: Affinity,
    joining: Joining,
    kept_fds: KeptFds,
    state: &'a State,
}

/// What the runtime has prepared for it.
#[derive(Debug)]
struct Given<'a> {
    entrance: Option<&'a Entrance>,
    slave: Option<Slave>,
    agent: Option<Agent>,
}

impl Member<'_> {
    fn spawn(
        &self,
        cgroup: Option<&Cgroup>,
        slave: Option<Slave>,
        agent: Option<Agent>,
    ) -> Result<Child> {
        let mut sync = Sync::new()?;
        let entrance = cgroup.map(Cgroup::entrance).transpose()?;
        let entrance = entrance.as_ref();
        let options = SpawnOptions {
            namespaces: Namespaces::NONE,
            cgroup: entrance.and_then(Entrance::born_in),
        };
        // ANCHOR: before_clone
        // The child is born into the pid namespace, where others could attach
        // to it at once and take what it has open (CVE-2016-9962). This it
        // inherits.
        prctl::set_dumpable(false)
            .in_call(|| "prctl(PR_SET_DUMPABLE, 0)".into())?;
        self.affinity.begin()?;
        self.joining.enter_for_children()?;
        let child = process::spawn(&options, || {
            let given = Given { entrance, slave, agent };
            self.run(given, sync.init_end())
        })?;
        // ANCHOR_END: before_clone
        match sync.into_runtime_end().let_go(|| Ok(())) {
            Ok(()) => Ok(child),
            Err(error) => end(&child).and(Err(error)),
        }
    }

    /// The life of the new process, as long as it is ours.
    fn run(&self, given: Given<'_>, runtime: InitEnd<'_>) -> i32 {
        match self.join(given) {
            Err(error) => {
                runtime.failed(&error);
                1
            }
            Ok(program) => match runtime.ready() {
                Ok(()) => self.process.become_program(&program, |_| ()),
                Err(_) => 1,
            },
        }
    }

    // ANCHOR: join
    fn join(&self, given: Given<'_>) -> Result<CString> {
        let (process, state) = (&self.process, self.state);
        prctl::set_name(c"imageless exec")
            .in_call(|| "prctl(PR_SET_NAME)".into())?;
        umask(Mode::empty());
        setsid().in_call(|| "setsid()".into())?;
        process.adjust_oom_score()?;
        let mut outside =
            Outside::take(process, given.agent, state, Status::Running)?;
        // From here on the container's limits hold for us.
        given.entrance.map_or(Ok(()), Entrance::enter)?;
        self.affinity.end()?;
        self.joining.enter()?;
        if let Some(slave) = given.slave {
            slave.control()?;
        }
        // Before the filter, which may be older than close_range(2).
        close_on_exec_from(3 + self.kept_fds.count())?;
        process.restrict(&mut outside)?;
        process.find_program(&mut outside)
    }
    // ANCHOR_END: join
}
