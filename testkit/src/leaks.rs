//! Finds what carries a scratch's tag, and removes it. What counts is the
//! kernel's own record (/proc, the cgroup hierarchies), because a test that
//! fails half-way has lost track of what it made.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait::within;

/// A kernel object, or runtime state, that outlived its test.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leak {
    /// A mount, also one that pins a namespace (type nsfs).
    Mount(PathBuf),
    /// A cgroup, by its directory.
    Cgroup(PathBuf),
    /// A process; the second field says what shows that it is ours.
    Process(Pid, String),
    /// A container's directory under a runtime's `--root`.
    State(PathBuf),
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Leak::Mount(target) => write!(f, "mount {}", target.display()),
            Leak::Cgroup(directory) => {
                write!(f, "cgroup {}", directory.display())
            }
            Leak::Process(pid, evidence) => {
                write!(f, "process {pid} ({evidence})")
            }
            Leak::State(directory) => {
                write!(f, "container state {}", directory.display())
            }
        }
    }
}

/// Lists everything that carries `tag`, and every container that is left in
/// `state_root`.
pub(crate) fn find(tag: &str, state_root: &Path) -> Vec<Leak> {
    let mountinfo = read("/proc/self/mountinfo");
    let mounts = mountinfo.lines().filter(|line| line.contains(tag));
    let mut leaks: Vec<_> =
        mounts.filter_map(mount_point).map(Leak::Mount).collect();
    for hierarchy in
        mountinfo.lines().filter(|line| is_cgroup(line)).filter_map(mount_point)
    {
        find_cgroups(&hierarchy, tag, &mut leaks);
    }
    leaks.extend(
        pids().filter_map(|pid| Some(Leak::Process(pid, evidence(pid, tag)?))),
    );
    leaks.extend(directories(state_root).map(Leak::State));
    leaks
}

/// Removes what [`find`] found, in the order in which the kernel lets go:
/// processes, mounts, cgroups.
///
/// What cannot be removed stays; the report of the leak names it.
pub(crate) fn remove(leaks: &[Leak]) {
    for directory in leaks.iter().filter_map(cgroup) {
        // SIGKILL does not reach a frozen process of cgroup v1. The file is
        // absent in other hierarchies.
        let _ = fs::write(directory.join("freezer.state"), "THAWED");
    }
    for leak in leaks {
        if let Leak::Process(pid, _) = leak {
            let _ = kill(*pid, Signal::SIGKILL); // ESRCH: it ended by itself
        }
    }
    // The newest mount is the last line of mountinfo, and may sit on an older
    // one.
    for leak in leaks.iter().rev() {
        if let Leak::Mount(target) = leak {
            // EINVAL: it went with the one that it sat on.
            let _ = umount2(target, MntFlags::MNT_DETACH);
        }
    }
    for directory in leaks.iter().rev().filter_map(cgroup) {
        // EBUSY until the last killed process has been torn down.
        within(Duration::from_secs(2), || {
            let _ = fs::remove_dir(directory);
            (!directory.exists()).then_some(())
        });
    }
}

fn cgroup(leak: &Leak) -> Option<&PathBuf> {
    match leak {
        Leak::Cgroup(directory) => Some(directory),
        Leak::Mount(_) | Leak::Process(..) | Leak::State(_) => None,
    }
}

/// Adds the cgroups below `directory` whose path carries the tag, parents
/// before children.
fn find_cgroups(directory: &Path, tag: &str, leaks: &mut Vec<Leak>) {
    for child in directories(directory) {
        if child.to_string_lossy().contains(tag) {
            leaks.push(Leak::Cgroup(child.clone()));
        }
        find_cgroups(&child, tag, leaks);
    }
}

/// Says what ties a process to the tag.
///
/// A zombie is no leak: it holds nothing, and whoever adopted it (init, or a
/// subreaper) takes its time to reap. What should have reaped it, and lives,
/// is found by itself.
fn evidence(pid: Pid, tag: &str) -> Option<String> {
    if pid == Pid::this() || is_zombie(pid) {
        return None;
    }
    let file = |name: &str| read(&format!("/proc/{pid}/{name}"));
    let link = |name: &str| {
        let target =
            fs::read_link(format!("/proc/{pid}/{name}")).unwrap_or_default();
        target.to_string_lossy().into_owned()
    };
    let name = file("comm");
    let traces = [
        ("cmdline", file("cmdline").replace('\0', " ")),
        ("environ", file("environ").replace('\0', " ")),
        ("cwd", link("cwd")),
        ("root", link("root")),
        ("cgroup", file("cgroup")),
        // After pivot_root(2) the link above reads "/"; the mount table still
        // tells which directory "/" is.
        ("root mount", root_mount(&file("mountinfo"))),
    ];
    let (kind, _) = traces.iter().find(|(_, text)| text.contains(tag))?;
    Some(format!("{}, by its {kind}", name.trim_end()))
}

/// Reads the letter after the name in proc_pid_stat(5).
fn is_zombie(pid: Pid) -> bool {
    let stat = read(&format!("/proc/{pid}/stat"));
    stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('Z'))
}

/// Returns the line of the mount at "/". Only this one: the copy of a mount
/// namespace holds everybody's mounts.
fn root_mount(mountinfo: &str) -> String {
    let mut lines = mountinfo.lines();
    lines
        .rfind(|line| line.split(' ').nth(4) == Some("/"))
        .unwrap_or_default()
        .to_owned()
}

/// Field 5 of a line of mountinfo: proc_pid_mountinfo(5).
fn mount_point(line: &str) -> Option<PathBuf> {
    line.split(' ').nth(4).map(PathBuf::from)
}

fn is_cgroup(line: &str) -> bool {
    line.contains(" - cgroup ") || line.contains(" - cgroup2 ")
}

fn pids() -> impl Iterator<Item = Pid> {
    directories(Path::new("/proc"))
        .filter_map(|path| path.file_name()?.to_str()?.parse().ok())
        .map(Pid::from_raw)
}

/// Real directories in `parent`; none if it is not there (anymore).
fn directories(parent: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    entries
        .filter(|e| e.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
}

/// Text of a file in /proc; empty if its process has gone.
fn read(path: &str) -> String {
    fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}
