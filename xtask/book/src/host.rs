//! What a chapter may not leave behind: mounts, cgroups, network links.
//!
//! Others may use the machine at the same time. So only what is new *and stays* is a leak: what
//! appears in every look during a period of grace.

use crate::reaper::Reaper;
use anyhow::Result;
use nix::mount::{MntFlags, umount2};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a teardown that the kernel finishes in the background may take.
const GRACE: Duration = Duration::from_secs(3);

const CGROUP: &str = "/sys/fs/cgroup";
const LINKS: &str = "/sys/class/net";

/// Directories of others who test at the same time: chapters, and the stages' own tests. What is
/// mounted there is theirs, unless it is our chapter's.
const SCRATCH: &[&str] = &["/tmp/book.", "/tmp/ck-"];

/// Something that outlives the process that made it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// A mount, by its id in mountinfo and its mount point.
    Mount(u64, PathBuf),
    Cgroup(PathBuf),
    Link(String),
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Thing::Mount(_, at) => write!(f, "mount on {}", at.display()),
            Thing::Cgroup(dir) => write!(f, "cgroup {}", dir.display()),
            Thing::Link(name) => write!(f, "network link {name}"),
        }
    }
}

/// All that is on the machine now.
pub(crate) fn look() -> BTreeSet<Thing> {
    let mut things = mounts();
    cgroups(Path::new(CGROUP), &mut things);
    let links = fs::read_dir(LINKS).into_iter().flatten().flatten();
    things
        .extend(links.map(|e| {
            Thing::Link(e.file_name().to_string_lossy().into_owned())
        }));
    things
}

/// What is new since `before` and stays for the whole period of grace. The
/// chapter ran in `home`.
///
/// # Errors
/// We were interrupted.
pub(crate) fn leaks(
    reaper: &Reaper,
    before: &BTreeSet<Thing>,
    home: &Path,
) -> Result<BTreeSet<Thing>> {
    let mut new: BTreeSet<_> = look().difference(before).cloned().collect();
    new.retain(|thing| !is_of_others(thing, home));
    reaper.until(GRACE, || {
        if !new.is_empty() {
            new = look().intersection(&new).cloned().collect();
        }
        new.is_empty()
    })?;
    Ok(new)
}

fn is_of_others(thing: &Thing, home: &Path) -> bool {
    let Thing::Mount(_, at) = thing else { return false };
    let scratch =
        SCRATCH.iter().any(|prefix| at.to_string_lossy().starts_with(prefix));
    scratch && !at.starts_with(home)
}

/// Removes what can be removed without harm to anybody: mounts under `home`, empty cgroups.
pub(crate) fn clean_up(leaks: &BTreeSet<Thing>, home: &Path) {
    for leak in leaks.iter().rev() {
        // Best effort: what stays has been reported, and is for a human to look at.
        let _ = match leak {
            Thing::Mount(_, at) if at.starts_with(home) => {
                umount2(at, MntFlags::MNT_DETACH).map_err(Into::into)
            }
            Thing::Cgroup(dir) => fs::remove_dir(dir),
            Thing::Mount(..) | Thing::Link(_) => Ok(()),
        };
    }
}

/// Tells whether something is mounted below `dir`: then removing it would reach through.
pub(crate) fn is_mounted_below(dir: &Path) -> bool {
    mounts().iter().any(
        |thing| matches!(thing, Thing::Mount(_, at) if at.starts_with(dir)),
    )
}

/// Source: proc_pid_mountinfo(5): field 1 is the id, field 5 the mount point.
fn mounts() -> BTreeSet<Thing> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mount = |line: &str| {
        let mut fields = line.split(' ');
        let id = fields.next()?.parse().ok()?;
        Some(Thing::Mount(id, fields.nth(3)?.replace("\\040", " ").into()))
    };
    table.lines().filter_map(mount).collect()
}

/// Every directory under a cgroup mount; children sort behind their parent.
fn cgroups(dir: &Path, found: &mut BTreeSet<Thing>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            cgroups(&entry.path(), found);
            found.insert(Thing::Cgroup(entry.path()));
        }
    }
}
