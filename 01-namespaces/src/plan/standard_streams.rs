//! The command keeps descriptors 0 to 2, and a descriptor does not care what
//! `/` is. Some kinds lead back to the host: refused.

use anyhow::{Result, bail};
use namespaces::InCall;
use nix::sys::stat::{SFlag, fstat};
use nix::sys::statfs::{FsType, NSFS_MAGIC, fstatfs};
use std::io::{stderr, stdin, stdout};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// Refuses standard streams with which the command could leave its root.
/// Not here: a socket, over which somebody outside passes such a descriptor;
/// that somebody is needed, and could open the door without it.
pub(super) fn refuse_ways_out() -> Result<()> {
    let (input, output, error) = (stdin(), stdout(), stderr());
    let standard = [
        ("input", input.as_fd()),
        ("output", output.as_fd()),
        ("error", error.as_fd()),
    ];
    for (name, fd) in standard {
        if let Some(what) = way_out(name, fd)? {
            bail!(
                "standard {name} is {what}: a way out of --rootfs\n\
                 hint: redirect it from or to a file, such as /dev/null"
            );
        }
    }
    Ok(())
}

fn way_out(name: &str, fd: BorrowedFd<'_>) -> Result<Option<&'static str>> {
    let stat = fstat(fd).in_call(|| format!("fstat(standard {name})"))?;
    let kind = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT;
    if kind == SFlag::S_IFDIR {
        // By fchdir(2).
        return Ok(Some("a directory"));
    }
    let on = fstatfs(fd).in_call(|| format!("fstatfs(standard {name})"))?;
    if on.filesystem_type() == NSFS_MAGIC {
        // By setns(2), and so with a pidfd: into the mounts of the host.
        return Ok(Some("a namespace"));
    }
    Ok(is_pidfd(fd, on.filesystem_type()).then_some("a pidfd"))
}

/// Source: pidfd_open(2); a file system of its own since "Linux 6.9 (2024-05)",
/// an anonymous inode before
fn is_pidfd(fd: BorrowedFd<'_>, on: FsType) -> bool {
    const PID_FS_MAGIC: FsType = FsType(0x5049_4446);
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let link = std::fs::read_link(link).unwrap_or_default();
    on == PID_FS_MAGIC || link.as_os_str() == "anon_inode:[pidfd]"
}
