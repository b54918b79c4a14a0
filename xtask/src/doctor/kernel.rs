//! The kernel itself: old enough systems lack a call that every stage makes.

use super::Finding;
use anyhow::{Context, Result};
use nix::sys::utsname::uname;
use std::fs;
use std::path::Path;

/// The newest call that we cannot do without: mount_setattr(2), Linux 5.12
/// (2021-04).
const OLDEST: (u32, u32) = (5, 12);

/// Compares the running kernel with the oldest that will do.
///
/// # Errors
/// uname(2) failed.
pub(super) fn version() -> Result<Finding> {
    let names = uname().context("uname(..)")?;
    Ok(judge(&names.release().to_string_lossy()))
}

fn judge(release: &str) -> Finding {
    let (major, minor) = OLDEST;
    if parsed(release).is_some_and(|version| version >= OLDEST) {
        return Finding::fine(format!(
            "Linux {release} ({major}.{minor} is the oldest that will do)"
        ));
    }
    Finding::missing(
        format!("Linux {major}.{minor} or newer; this is {release}"),
        "use a virtual machine with Debian 12 or Ubuntu 24.04",
        &[1, 2, 3, 4, 5],
    )
}

fn parsed(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Looks for overlayfs: built in, loaded, or a module that mount(2) loads by
/// itself.
///
/// # Errors
/// uname(2) failed.
pub(super) fn overlay() -> Result<Finding> {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known
        .lines()
        .any(|line| line.split_whitespace().last() == Some("overlay"))
    {
        return Ok(Finding::fine("overlayfs"));
    }
    let names = uname().context("uname(..)")?;
    let modules = Path::new("/lib/modules")
        .join(names.release())
        .join("kernel/fs/overlayfs");
    if modules.is_dir() {
        return Ok(Finding::fine(
            "overlayfs (a module, loaded at the first mount)",
        ));
    }
    Ok(Finding::missing(
        "overlayfs: layers of images",
        "sudo modprobe overlay",
        &[2, 5],
    ))
}

#[cfg(test)]
mod tests {
    use super::super::Finding;
    use super::judge;

    #[test]
    fn an_old_kernel_blocks_everything() {
        for release in ["5.11.22-generic", "4.19.0-27-amd64", "", "weird"] {
            assert!(judge(release).blocks_everything(), "{release:?}");
        }
    }

    #[test]
    fn a_minor_version_of_two_digits_is_not_older_than_one_of_one() {
        for release in [
            "5.12.0",
            "5.15.0-91-generic",
            "6.1.0-18-amd64",
            "6.18.44-fc",
            "7.0-rc1",
        ] {
            assert!(matches!(judge(release), Finding::Fine(_)), "{release:?}");
        }
    }
}
