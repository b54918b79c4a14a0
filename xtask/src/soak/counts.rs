//! What a process holds of the kernel, counted in /proc and /sys. Only what is
//! its own: others on this machine come and go meanwhile.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// One number for each kind of thing that can be left behind.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counts {
    descriptors: usize,
    /// Of the mounts that it sees, those where the rounds make theirs.
    mounts: usize,
    /// Those with its name, in all hierarchies.
    cgroups: usize,
    /// Itself and its children, zombies too.
    processes: usize,
    /// Those in which its processes are.
    namespaces: usize,
}

impl Counts {
    /// Counts what the `rounds` with this pid hold.
    ///
    /// # Errors
    /// It has ended, or is not ours to look at.
    pub(super) fn of(pid: u32) -> Result<Self> {
        let proc = PathBuf::from(format!("/proc/{pid}"));
        let name = format!("rounds-{pid}");
        let mountinfo = fs::read_to_string(proc.join("mountinfo"))
            .context("read /proc/PID/mountinfo")?;
        let processes = family(pid)?;
        let namespaces: BTreeSet<_> =
            processes.iter().flat_map(|pid| namespaces_of(*pid)).collect();
        let descriptors = fs::read_dir(proc.join("fd"));
        Ok(Self {
            descriptors: descriptors.context("read /proc/PID/fd")?.count(),
            mounts: mountinfo.lines().filter(|l| l.contains(" /mnt ")).count(),
            cgroups: named(Path::new("/sys/fs/cgroup"), &name),
            processes: processes.len(),
            namespaces: namespaces.len(),
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} descriptors, {} mounts, {} cgroups, {} processes, \
             {} namespaces",
            self.descriptors,
            self.mounts,
            self.cgroups,
            self.processes,
            self.namespaces
        )
    }
}

/// The process and its children. A container whose process 1 is gone has no
/// grandchildren.
fn family(pid: u32) -> Result<Vec<u32>> {
    let children = format!("/proc/{pid}/task/{pid}/children");
    let children = fs::read_to_string(&children).context(children)?;
    let children = children.split_whitespace().flat_map(str::parse);
    Ok(std::iter::once(pid).chain(children).collect())
}

fn namespaces_of(pid: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/ns"));
    let entries = entries.into_iter().flatten().flatten();
    entries.flat_map(|entry| fs::read_link(entry.path())).collect()
}

fn named(dir: &Path, name: &str) -> usize {
    // Cgroups of others vanish while we look.
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_dir = |entry: &fs::DirEntry| {
        entry.file_type().is_ok_and(|kind| kind.is_dir())
    };
    let count = |entry: fs::DirEntry| {
        usize::from(entry.file_name() == name) + named(&entry.path(), name)
    };
    entries.filter(is_dir).map(count).sum()
}
