//! What isolate(1) is going to do, decided before anything is done. The same
//! value is printed by `--plan` and carried out by `run` and `child`.

mod root;
mod standard_streams;
mod users;

use crate::cli::Options;
use crate::stale;
use crate::step::{BindStep, Step};
use anyhow::{Context, Result};
use namespaces::cgroup::{Cgroup, Limits};
use namespaces::idmap::{Caller, IdMaps, MapStep};
use namespaces::mounts::DEFAULT_MOUNTS;
use namespaces::namespace::{Namespace, Namespaces};
use nix::unistd::geteuid;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use users::Users;

/// Everything that is going to be done.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What clone3(2) makes.
    pub(crate) namespaces: Namespaces,
    /// Who the child is, if it gets a user namespace.
    pub(crate) id_maps: Option<IdMaps>,
    /// The name of the cgroup and its limits.
    cgroup: Option<(PathBuf, Limits)>,
    /// Whether to tell at the end what was used.
    pub(crate) stats: bool,
    /// What the child does before it becomes the command.
    pub(crate) steps: Vec<Step>,
    /// Whether the child stays as process 1, and the command is its child.
    pub(crate) init: bool,
    /// The command.
    pub(crate) argv: Vec<CString>,
}

impl Plan {
    /// Decides what the options mean for this user.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        options.root.check()?;
        let mut namespaces = options.namespaces();
        if !namespaces.is_empty() && !geteuid().is_root() {
            // Only inside one may an ordinary user make the others.
            namespaces.insert(Namespace::User);
        }
        let user = namespaces.contains(Namespace::User);
        let users = Users::new(&options.user, user, &Caller::current())?;
        let mut steps = users.first;
        steps.extend(self::steps(options, namespaces)?);
        steps.extend(users.last);
        // The child makes those itself, see Step::UnshareCgroup, UnshareTime.
        namespaces.remove(Namespace::Cgroup);
        if options.time.offsets().is_some() {
            namespaces.remove(Namespace::Time);
        }

        let limits = options.limits.limits();
        let cgroup = limits.map(|limits| anyhow::Ok((stale::name()?, limits)));
        Ok(Self {
            namespaces,
            id_maps: users.id_maps,
            cgroup: cgroup.transpose()?,
            stats: options.limits.stats,
            steps,
            init: options.init,
            argv: c_strings(&options.command)?,
        })
    }

    /// Makes the cgroup with its limits, if there are any.
    pub(crate) fn create_cgroup(&self) -> Result<Option<Cgroup>> {
        let Some((path, limits)) = &self.cgroup else { return Ok(None) };
        stale::remove_stale(&Cgroup::open(path)?)?;
        let cgroup = Cgroup::create(path)?;
        cgroup.set(limits)?;
        Ok(Some(cgroup))
    }

    /// Makes the mounts for which the child will have no right.
    pub(crate) fn prepare_mounts(&self) -> namespaces::Result<()> {
        let inside = self.id_maps.as_ref();
        self.binds().try_for_each(|bind| bind.prepare(inside))
    }

    fn binds(&self) -> impl Iterator<Item = &BindStep> {
        self.steps.iter().flat_map(Step::binds)
    }

    /// Prints the system calls that matter, one a line, and who makes them.
    pub(crate) fn text(&self) -> Result<String> {
        let (before, after) = match &self.cgroup {
            Some((path, limits)) => {
                let cgroup = Cgroup::open(path)?;
                (Cgroup::plan(path, limits)?, Some(cgroup))
            }
            None => (Vec::new(), None),
        };
        let dirs = after.iter().flat_map(Cgroup::paths);
        let join = dirs.clone().map(|dir| dir.join("cgroup.procs"));
        let join = join.map(|file| format!("write({file:?}, \"PID\")"));
        let remove = dirs.map(|dir| format!("rmdir({dir:?})"));
        let inside = self.id_maps.as_ref();
        let mounts = self.binds().flat_map(|bind| bind.parent_calls(inside));
        let lines = parent(before)
            .chain(parent(mounts))
            .chain(parent([format!("clone3({}) = PID", self.namespaces)]))
            .chain(parent(self.id_map_calls()))
            .chain(parent(join))
            .chain(child(self.steps.iter().flat_map(Step::calls)))
            .chain(self.command_calls())
            .chain(parent(["waitid(P_PIDFD, .., WEXITED)".to_string()]))
            .chain(parent(remove));
        Ok(lines.collect())
    }

    fn command_calls(&self) -> Vec<String> {
        let (program, argv) = (&self.argv[0], &self.argv);
        let execve = format!("execve({program:?}, {argv:?}, ..)");
        if !self.init {
            return child([execve]).collect();
        }
        let command = format!("command: {execve}\n");
        let reap = "waitid(P_ALL, .., WEXITED), until it was COMMAND";
        child(["clone3(0) = COMMAND".into()])
            .chain([command])
            .chain(child([reap.into()]))
            .collect()
    }

    fn id_map_calls(&self) -> Vec<String> {
        let Some(id_maps) = &self.id_maps else { return Vec::new() };
        let steps = id_maps.plan("PID", &Caller::current());
        steps.iter().map(MapStep::to_string).collect()
    }
}

fn parent(
    calls: impl IntoIterator<Item = String>,
) -> impl Iterator<Item = String> {
    calls.into_iter().map(|call| format!("parent: {call}\n"))
}

fn child(
    calls: impl IntoIterator<Item = String>,
) -> impl Iterator<Item = String> {
    calls.into_iter().map(|call| format!("child:  {call}\n"))
}

/// Lists the child's steps, in the order in which they have to be done.
fn steps(options: &Options, namespaces: Namespaces) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    if namespaces.contains(Namespace::Cgroup) {
        steps.push(Step::UnshareCgroup);
    }
    if let Some(offsets) = options.time.offsets() {
        steps.push(Step::UnshareTime(offsets));
    }
    if let Some(name) = &options.hostname {
        steps.push(Step::SetHostname(name.clone()));
    }
    if namespaces.contains(Namespace::Mount) {
        let propagation = options.root.propagation.to_set();
        steps.extend(propagation.map(Step::Propagation));
    }
    match &options.root.rootfs {
        Some(dir) => {
            let root = root::plan(dir, &options.root, namespaces)?;
            steps.push(Step::Root(root));
        }
        None if sees_own_processes(namespaces) => {
            let proc = DEFAULT_MOUNTS.iter().find(|row| row.fstype == "proc");
            steps.extend(proc.map(|row| Step::Mount(row.mount(namespaces))));
        }
        None => {}
    }
    Ok(steps)
}

/// Programs such as ps(1) read /proc, which shows the pid namespace that it was
/// mounted in; so a new one gets a new /proc, where that harms nobody else.
fn sees_own_processes(namespaces: Namespaces) -> bool {
    [Namespace::Pid, Namespace::Mount].iter().all(|n| namespaces.contains(*n))
}

pub(crate) fn c_strings(words: &[OsString]) -> Result<Vec<CString>> {
    let c_string = |word: &OsString| CString::new(word.clone().into_vec());
    let words: Result<_, _> = words.iter().map(c_string).collect();
    words.context("the command has a NUL byte in it")
}
