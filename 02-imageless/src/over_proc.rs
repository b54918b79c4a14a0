//! What may be mounted on /proc, and over a part of it. A volume there could
//! make a label or a sysctl that somebody writes go to a file that nobody heeds
//! (CVE-2019-16884, CVE-2025-52881). We write through the host's /proc, but who
//! comes after us, such as a hook or a health check, may not.

use anyhow::{Result, bail};
use namespaces::InCall;
use namespaces::mounts::Mount;
use namespaces::root::Root;
use nix::errno::Errno;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs, statfs};
use std::path::{Component, Path, PathBuf};

/// Files that lxcfs and engines show in other words: facts to read.
///
/// Source: lxcfs(1); runc accepts the same
const FACTS: [&str; 10] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
];

/// Refuses to cover the kernel's files. Runs in init, before each mount, and
/// looks where the target really is: the image may have a link that leads there.
///
/// # Errors
/// Names the destination.
///
/// Source: runtime-spec: config.md, "Mounts"
pub(crate) fn check(root: &Root, mount: &Mount) -> Result<()> {
    if matches!(mount.fstype.as_deref(), Some("proc" | "devpts" | "mqueue")) {
        return Ok(());
    }
    let target = plain(&mount.target);
    let is_fact = FACTS.iter().any(|fact| Path::new(fact) == target);
    if target == Path::new("/proc") {
        match mount.fstype {
            None if is_proc(&mount.source)? => Ok(()),
            _ => bail!("destination: only a proc file system belongs on /proc"),
        }
    } else if !is_fact && is_in_proc(root, &target)? {
        bail!("destination: {target:?} would cover a part of /proc")
    } else {
        Ok(())
    }
}

/// Without `//`, `/./` and a `/` at the end.
fn plain(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

fn is_proc(source: &Path) -> Result<bool> {
    let status = statfs(source).in_call(|| format!("statfs({source:?})"))?;
    Ok(status.filesystem_type() == PROC_SUPER_MAGIC)
}

/// What is not there is not in /proc: nothing can be made in that.
fn is_in_proc(root: &Root, target: &Path) -> Result<bool> {
    match root.resolve(target) {
        Err(error) if error.errno == Errno::ENOENT => Ok(false),
        found => {
            let status = fstatfs(found?).in_call(|| "fstatfs(..)".into())?;
            Ok(status.filesystem_type() == PROC_SUPER_MAGIC)
        }
    }
}
