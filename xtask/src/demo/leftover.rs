//! What a story may leave behind, found by the kernel's own record: whatever
//! carries the private directory's name or the id of something made in it.

use super::process;
use super::wait::until_ended;
use anyhow::{Context, Result, ensure};
use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the storyteller notes the ids that it was told.
pub(super) const IDS: &str = "ids";
/// conmand's own directories, one entry a sandbox or container.
const STORES: &[&str] = &["root/sandboxes", "root/containers"];

/// Rounds of removal: the second finds what the first one's victims had begun.
const ROUNDS: usize = 3;

/// What a process that was told to end may take to do it.
const GRACE: Duration = Duration::from_secs(5);

/// One thing that has outlived its story.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leftover {
    Process(i32, String),
    Mount(PathBuf),
    Cgroup(PathBuf),
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Leftover::Process(pid, name) => write!(f, "process {pid} ({name})"),
            Leftover::Mount(at) => write!(f, "mount {}", at.display()),
            Leftover::Cgroup(at) => write!(f, "cgroup {}", at.display()),
        }
    }
}

/// The words by which things of this story are known.
pub(super) fn tags(folder: &Path) -> Vec<String> {
    let name = folder.file_name().unwrap_or_default();
    let mut tags = vec![name.to_string_lossy().into_owned()];
    let ids = fs::read_to_string(folder.join(IDS)).unwrap_or_default();
    tags.extend(ids.lines().map(str::to_owned));
    for store in STORES {
        let entries = fs::read_dir(folder.join(store)).into_iter().flatten();
        let names = entries.flatten().map(|entry| entry.file_name());
        tags.extend(names.map(|name| name.to_string_lossy().into_owned()));
    }
    tags
}

/// Finds what is left once the processes that are about to end have ended.
pub(crate) fn settled(tags: &[String]) -> Vec<Leftover> {
    for leftover in find(tags) {
        if let Leftover::Process(pid, _) = leftover {
            // Err: it goes on, and is found again below.
            let _ = until_ended(pid, GRACE);
        }
    }
    find(tags)
}

/// Finds processes, mounts and cgroups with one of the tags, now.
pub(super) fn find(tags: &[String]) -> Vec<Leftover> {
    let tagged = |text: &str| tags.iter().any(|tag| text.contains(tag));
    let ours = std::process::id();
    let processes = process::all().into_iter();
    let processes = processes
        .filter(|process| u32::try_from(process.pid) != Ok(ours))
        .filter(|process| tagged(&traces(process.pid)))
        .map(|process| Leftover::Process(process.pid, process.name));
    let mounts = mount_points().into_iter().filter(|at| tagged(at));
    let cgroups = cgroups().into_iter();
    let cgroups = cgroups.filter(|at| tagged(&at.to_string_lossy()));
    processes
        .chain(mounts.map(|at| Leftover::Mount(at.into())))
        .chain(cgroups.map(Leftover::Cgroup))
        .collect()
}

/// Removes everything with one of the tags. What is being removed may just be
/// making more of it, so once is not enough.
///
/// # Errors
/// Something resists; the message names it.
pub(crate) fn remove_all(tags: &[String]) -> Result<()> {
    for _ in 0..ROUNDS {
        remove(&find(tags))?;
    }
    let stuck = find(tags);
    let names: Vec<_> = stuck.iter().map(ToString::to_string).collect();
    ensure!(stuck.is_empty(), "still there: {}", names.join(", "));
    Ok(())
}

/// In the order in which the kernel lets go: processes, mounts from the newest,
/// cgroups from the innermost.
fn remove(left: &[Leftover]) -> Result<()> {
    let pids = left.iter().filter_map(|leftover| match leftover {
        Leftover::Process(pid, _) => Some(*pid),
        Leftover::Mount(_) | Leftover::Cgroup(_) => None,
    });
    for pid in pids {
        // ESRCH: the one before took it along.
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        until_ended(pid, GRACE)?;
    }
    for leftover in left.iter().rev() {
        // What fails here is still there, and named, when it is looked for.
        match leftover {
            Leftover::Process(..) => {}
            Leftover::Mount(at) => {
                let _ = umount2(at, MntFlags::MNT_DETACH);
            }
            Leftover::Cgroup(at) => {
                let _ = fs::remove_dir(at);
            }
        }
    }
    Ok(())
}

/// How much [`find`] looks through, for the record.
pub(super) fn census() -> String {
    let processes = process::all().len();
    let (mounts, cgroups) = (mount_points().len(), cgroups().len());
    format!("{processes} processes, {mounts} mounts, {cgroups} cgroups")
}

/// What ties a process to a story: its words, its directories, its cgroups, and
/// what its root is mounted from (its own view of `/` does not tell).
fn traces(pid: i32) -> String {
    let read = |name: &str| {
        let bytes = fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let link = |name: &str| {
        let path = fs::read_link(format!("/proc/{pid}/{name}"));
        path.unwrap_or_default().to_string_lossy().into_owned()
    };
    let mountinfo = read("mountinfo");
    let is_root = |line: &&str| line.split(' ').nth(4) == Some("/");
    let root = mountinfo.lines().rfind(is_root).unwrap_or_default();
    [&read("cmdline"), &link("cwd"), &link("root"), &read("cgroup"), root]
        .join("\n")
}

/// The mount points that this process sees, oldest first.
fn mount_points() -> Vec<String> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = text.lines().filter_map(|line| line.split(' ').nth(4));
    points.map(str::to_owned).collect()
}

/// All cgroups of all hierarchies, each before those in it.
fn cgroups() -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let is_cgroup = |line: &&str| line.contains(" - cgroup");
    let roots = text.lines().filter(is_cgroup);
    let roots = roots.filter_map(|line| line.split(' ').nth(4));
    let mut found: Vec<PathBuf> = roots.map(PathBuf::from).collect();
    let mut next = 0;
    while let Some(folder) = found.get(next) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let folders = entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let folders: Vec<_> = folders.map(|entry| entry.path()).collect();
        found.extend(folders);
        next += 1;
    }
    found
}

/// Notes an id, so that what carries it is found even after it was removed
/// from conmand's directories.
///
/// # Errors
/// As write(2).
pub(super) fn note_id(folder: &Path, id: &str) -> Result<()> {
    let file = folder.join(IDS);
    let mut ids = fs::read_to_string(&file).unwrap_or_default();
    ids.push_str(id);
    ids.push('\n');
    fs::write(&file, ids).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::{Leftover, find, note_id, remove_all, settled, tags};
    use std::process::{Command, Stdio};

    fn tag(of: &str) -> String {
        format!("xtask-leftover-{of}-{}", std::process::id())
    }

    #[test]
    fn a_process_that_carries_the_tag_is_found_and_removed() {
        let tag = tag("process");
        let mut waiting = Command::new("sh");
        waiting.args(["-c", "read line", &tag]).stdin(Stdio::piped());
        let mut child = waiting.spawn().unwrap();
        let left = find(std::slice::from_ref(&tag));
        remove_all(std::slice::from_ref(&tag)).unwrap();
        child.wait().unwrap();
        assert!(matches!(&left[..], [Leftover::Process(..)]), "{left:?}");
        assert_eq!(settled(&[tag]), []);
    }

    #[test]
    fn what_does_not_carry_the_tag_is_left_alone() {
        assert_eq!(find(&[tag("nothing")]), []);
    }

    #[test]
    fn ids_that_were_noted_are_tags() {
        let folder = std::env::temp_dir().join(tag("ids"));
        std::fs::create_dir_all(folder.join("root/containers/c2")).unwrap();
        note_id(&folder, "c1").unwrap();
        note_id(&folder, "c3").unwrap();
        let mut tags = tags(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        tags.sort();
        assert_eq!(tags[..3], ["c1", "c2", "c3"]);
        assert!(tags[3].starts_with("xtask-leftover-ids-"));
    }
}
