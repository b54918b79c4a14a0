//! What /proc tells of a process.
//!
//! Source: proc_pid_status(5), proc_pid_ns(5), namespaces(7)

use anyhow::{Context, Result};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file's device and inode: what it is, whatever its path.
pub(crate) fn identity(path: impl AsRef<Path>) -> Result<(u64, u64)> {
    let path = path.as_ref();
    let file = fs::metadata(path).with_context(|| format!("stat({path:?})"))?;
    Ok((file.dev(), file.ino()))
}

/// The namespace of a process, as `/proc/PID/ns` names it: `pid:[4026531836]`.
pub(crate) fn namespace(pid: Pid, kind: &str) -> Result<String> {
    let link = format!("/proc/{pid}/ns/{kind}");
    let target =
        fs::read_link(&link).with_context(|| format!("readlink({link:?})"))?;
    Ok(target.display().to_string())
}

/// A line of `/proc/PID/status`, as words; `None` if the process is gone.
pub(crate) fn status(pid: Pid, key: &str) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(name, _)| *name == key)?;
    Some(value.split_whitespace().map(str::to_owned).collect())
}

/// The pid of a process as its own pid namespace counts.
pub(crate) fn pid_inside(pid: Pid) -> Option<i32> {
    status(pid, "NSpid")?.last()?.parse().ok()
}

/// The parent of a process.
pub(crate) fn parent(pid: Pid) -> Option<Pid> {
    let parent = status(pid, "PPid")?;
    parent.first()?.parse().ok().map(Pid::from_raw)
}

/// The children of a process.
///
/// # Errors
/// /proc is not mounted.
pub(crate) fn children(of: Pid) -> Result<Vec<Pid>> {
    let all = all()?.into_iter();
    Ok(all.filter(|pid| parent(*pid) == Some(of)).collect())
}

/// A process and all that descend from it, eldest first.
///
/// # Errors
/// /proc is not mounted.
pub(crate) fn family(of: Pid) -> Result<Vec<Pid>> {
    let mut family = vec![of];
    let mut next = 0;
    while let Some(member) = family.get(next) {
        family.extend(children(*member)?);
        next += 1;
    }
    Ok(family)
}

/// The arguments that a process was executed with; empty if it is gone.
pub(crate) fn argv(pid: Pid) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.split_terminator('\0').map(str::to_owned).collect()
}

fn all() -> Result<Vec<Pid>> {
    let entries = fs::read_dir("/proc").context("opendir(\"/proc\")")?;
    let names =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.parse().ok().map(Pid::from_raw)).collect())
}
