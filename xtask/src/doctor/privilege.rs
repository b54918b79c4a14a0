//! Root, or a way to it: mounts, cgroups and networks of containers belong to
//! root.

use super::Finding;
use crate::root::is_root;
use anyhow::{Context, Result};
use std::fs;
use std::process::{Command, Stdio};

/// The bit of CAP_SYS_ADMIN in a capability set, capabilities(7).
const CAP_SYS_ADMIN: u32 = 21;
const ALL: &[u8] = &[1, 2, 3, 4, 5];

/// Tells whether we are root with root's means, or how we become it.
///
/// # Errors
/// /proc is not mounted.
pub(super) fn root() -> Result<Finding> {
    if is_root() {
        let status = fs::read_to_string("/proc/self/status")
            .context("/proc/self/status")?;
        return Ok(judge_capabilities(&status));
    }
    let mut sudo = Command::new("sudo");
    let answer = sudo
        .args(["-n", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    Ok(match answer {
        Ok(status) if status.success() => {
            Finding::fine("a user who has sudo, without a password")
        }
        Ok(_) => Finding::fine("sudo, which will ask for a password"),
        Err(_) => Finding::missing(
            "root, or sudo",
            "su -c 'apt-get install sudo' and join its group",
            ALL,
        ),
    })
}

/// Root inside of a container is not root: it lacks the capability that mounts
/// need.
fn judge_capabilities(status: &str) -> Finding {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = line
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    if set & (1 << CAP_SYS_ADMIN) != 0 {
        return Finding::fine("root, with CAP_SYS_ADMIN");
    }
    Finding::missing(
        "CAP_SYS_ADMIN: this is root inside of a container",
        "start that container with --privileged, or use a virtual machine",
        ALL,
    )
}

#[cfg(test)]
mod tests {
    use super::super::Finding;
    use super::judge_capabilities;

    #[test]
    fn root_without_cap_sys_admin_blocks_everything() {
        let docker_default = "Name:\tsh\nCapEff:\t00000000a80425fb\n";
        assert!(judge_capabilities(docker_default).blocks_everything());
        assert!(judge_capabilities("").blocks_everything());
    }

    #[test]
    fn full_root_is_fine_even_without_cap_sys_resource() {
        let finding = judge_capabilities("CapEff:\t000001fffeffffff\n");
        assert!(matches!(finding, Finding::Fine(_)), "{finding:?}");
    }
}
