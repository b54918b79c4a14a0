//! What isolate(1) is going to do, decided before anything is done. The same
//! value is printed by `--plan` and carried out by `run` and `child`.

mod users;

use crate::cli::Options;
use crate::stale;
use crate::step::{RootStep, Step};
use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::cgroup::{Cgroup, Limits};
use namespaces::idmap::{Caller, IdMaps, MapStep};
use namespaces::mounts::{DEFAULT_MOUNTS, default_mounts};
use namespaces::namespace::{Namespace, Namespaces};
use namespaces::rootfs::{
    DEFAULT_DEVICES, DEV_LINKS, MASKED_PATHS, READ_ONLY_PATHS,
};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::geteuid;
use std::ffi::{CString, OsString};
use std::io::{stderr, stdin, stdout};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
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

        let name = stale::name(std::process::id());
        Ok(Self {
            namespaces,
            id_maps: users.id_maps,
            cgroup: options.limits.limits().map(|limits| (name, limits)),
            stats: options.limits.stats,
            steps,
            init: options.init,
            argv: c_strings(&options.command)?,
        })
    }

    /// Makes the cgroup with its limits, if there are any.
    pub(crate) fn create_cgroup(&self) -> Result<Option<Cgroup>> {
        let Some((path, limits)) = &self.cgroup else { return Ok(None) };
        stale::remove_stale(&Cgroup::open(path)?);
        let cgroup = Cgroup::create(path)?;
        cgroup.set(limits)?;
        Ok(Some(cgroup))
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
        let lines = parent(before)
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
        steps.push(Step::MakePrivate);
    }
    match &options.root.rootfs {
        Some(dir) => steps.push(root(dir, namespaces)?),
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

/// Plans the root file system in `dir`. The order matters: what hides comes
/// after what it hides, and the pivot last.
fn root(dir: &Path, namespaces: Namespaces) -> Result<Step> {
    refuse_open_directories()?;
    let dir = dir.canonicalize().in_call(|| format!("realpath({dir:?})"))?;
    let mounts = default_mounts(namespaces).into_iter().map(RootStep::Mount);
    let devices = DEFAULT_DEVICES.iter();
    let devices = devices.map(|device| RootStep::Device(device, namespaces));
    let links = DEV_LINKS.into_iter().map(|(to, at)| RootStep::Link(to, at));
    let masks = MASKED_PATHS.into_iter().map(RootStep::Mask);
    let read_only = READ_ONLY_PATHS.into_iter().map(RootStep::ReadOnly);
    let steps = mounts.chain(devices).chain(links).chain(masks);
    Ok(Step::Root(dir, steps.chain(read_only).collect()))
}

/// The command keeps descriptors 0 to 2. One that is a directory of the host
/// leads back there by fchdir(2), whatever the root is.
fn refuse_open_directories() -> Result<()> {
    let (input, output, error) = (stdin(), stdout(), stderr());
    let standard = [
        ("input", input.as_fd()),
        ("output", output.as_fd()),
        ("error", error.as_fd()),
    ];
    for (name, fd) in standard {
        let stat = fstat(fd).in_call(|| format!("fstat(standard {name})"))?;
        let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFDIR {
            bail!(
                "standard {name} is a directory: a way out of --rootfs\n\
                 hint: redirect it from or to a file, such as /dev/null"
            );
        }
    }
    Ok(())
}

pub(crate) fn c_strings(words: &[OsString]) -> Result<Vec<CString>> {
    let c_string = |word: &OsString| CString::new(word.clone().into_vec());
    let words: Result<_, _> = words.iter().map(c_string).collect();
    words.context("the command has a NUL byte in it")
}
