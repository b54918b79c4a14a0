//! What isolate(1) is going to do, decided before anything is done. The same
//! value is printed by `--plan` and carried out by `main` and `child`.

use crate::cli::Options;
use crate::step::{RootStep, Step};
use anyhow::{Context, Result};
use namespaces::cgroup::{Cgroup, Limits};
use namespaces::idmap::{IdMaps, Setgroups};
use namespaces::mounts::{Mount, default_mounts};
use namespaces::namespace::{Namespace, Namespaces};
use namespaces::rootfs::{
    DEFAULT_DEVICES, DEV_LINKS, MASKED_PATHS, READ_ONLY_PATHS,
};
use nix::unistd::geteuid;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Everything that is going to be done.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What clone3(2) makes.
    pub(crate) namespaces: Namespaces,
    /// Who the child is, if it gets a user namespace.
    pub(crate) id_maps: Option<IdMaps>,
    /// The name of the cgroup and its limits.
    cgroup: Option<(PathBuf, Limits)>,
    /// What the child does before it becomes the command.
    pub(crate) steps: Vec<Step>,
    /// The command.
    pub(crate) argv: Vec<CString>,
}

impl Plan {
    /// Decides what the options mean for this user.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let mut namespaces = options.namespaces();
        if !namespaces.is_empty() && !geteuid().is_root() {
            // Only a user namespace of its own lets an ordinary user make others.
            namespaces.insert(Namespace::User);
        }
        let steps = steps(options, namespaces)?;
        // The child makes that one itself, see Step::UnshareCgroup.
        namespaces.remove(Namespace::Cgroup);

        let name = PathBuf::from(format!("isolate-{}", std::process::id()));
        let user = namespaces.contains(Namespace::User);
        Ok(Self {
            namespaces,
            id_maps: user.then(IdMaps::root_is_caller),
            cgroup: options.limits().map(|limits| (name, limits)),
            steps,
            argv: c_strings(&options.command)?,
        })
    }

    /// Makes the cgroup with its limits, if there are any.
    pub(crate) fn create_cgroup(&self) -> Result<Option<Cgroup>> {
        let Some((path, limits)) = &self.cgroup else { return Ok(None) };
        let cgroup = Cgroup::create(path)?;
        cgroup.set(limits)?;
        Ok(Some(cgroup))
    }

    /// Prints the system calls that matter, one a line, and who makes them.
    pub(crate) fn text(&self) -> Result<String> {
        let mut lines = Vec::new();
        if let Some((path, limits)) = &self.cgroup {
            lines.extend(parent(Cgroup::plan(path, limits)?));
        }
        lines.extend(parent([format!("clone3({}) = PID", self.namespaces)]));
        if let Some(id_maps) = &self.id_maps {
            let files = id_maps.plan("PID", Setgroups::for_caller());
            let write = |(file, text)| format!("write({file:?}, {text:?})");
            lines.extend(parent(files.into_iter().map(write)));
        }
        let calls = self.steps.iter().flat_map(Step::calls);
        lines.extend(calls.map(|call| format!("child:  {call}\n")));
        lines.push(format!("child:  execve({:?}, ..)\n", self.argv));
        lines.extend(parent(["waitid(P_PIDFD, .., WEXITED)".to_string()]));
        Ok(lines.concat())
    }
}

fn parent(
    calls: impl IntoIterator<Item = String>,
) -> impl Iterator<Item = String> {
    calls.into_iter().map(|call| format!("parent: {call}\n"))
}

/// Lists the child's steps, in the order in which they have to be done.
fn steps(options: &Options, namespaces: Namespaces) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    if namespaces.contains(Namespace::Cgroup) {
        steps.push(Step::UnshareCgroup);
    }
    if let Some(name) = &options.hostname {
        steps.push(Step::SetHostname(name.clone()));
    }
    if namespaces.contains(Namespace::Mount) {
        steps.push(Step::MakePrivate);
    }
    match &options.rootfs {
        Some(dir) => steps.push(root(dir, namespaces)?),
        None if sees_own_processes(namespaces) => {
            steps.push(Step::Mount(Mount::new("proc", "/proc")));
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

/// Plans the root file system in `dir`. The order is that of the man pages: what
/// hides comes after what it hides, and the pivot last.
fn root(dir: &Path, namespaces: Namespaces) -> Result<Step> {
    let dir =
        dir.canonicalize().with_context(|| format!("--rootfs {dir:?}"))?;
    let mounts = default_mounts(namespaces).into_iter().map(RootStep::Mount);
    let devices = DEFAULT_DEVICES.iter();
    let devices = devices.map(|device| RootStep::Device(device, namespaces));
    let links = DEV_LINKS.into_iter().map(|(to, at)| RootStep::Link(to, at));
    let masks = MASKED_PATHS.into_iter().map(RootStep::Mask);
    let read_only = READ_ONLY_PATHS.into_iter().map(RootStep::ReadOnly);
    let steps = mounts.chain(devices).chain(links).chain(masks);
    Ok(Step::Root(dir, steps.chain(read_only).collect()))
}

fn c_strings(words: &[OsString]) -> Result<Vec<CString>> {
    let c_string = |word: &OsString| CString::new(word.clone().into_vec());
    let words: Result<_, _> = words.iter().map(c_string).collect();
    words.context("the command has a NUL byte in it")
}
