//! The cgroup layout: which hierarchy holds the controllers decides what limits
//! look like.

use super::Finding;
use anyhow::{Context, Result};
use std::fs;

/// What containers are limited and counted with; the others are welcome but not
/// needed.
const NEEDED: &[&str] = &["cpu", "memory", "pids"];
const LIMITS: &[u8] = &[1, 2, 5];

/// Reads the layout from the mount table and the unified hierarchy.
///
/// # Errors
/// /proc is not mounted.
pub(super) fn layout() -> Result<Finding> {
    let mountinfo =
        fs::read("/proc/self/mountinfo").context("/proc/self/mountinfo")?;
    // Somebody's mount point need not be UTF-8; those of cgroups are.
    let mountinfo = String::from_utf8_lossy(&mountinfo);
    let mounts = hierarchies(&mountinfo);
    let unified = mounts.iter().find(|(kind, ..)| *kind == "cgroup2");
    let unified = unified.map(|(_, at, _)| {
        fs::read_to_string(format!("{at}/cgroup.controllers"))
            .unwrap_or_default()
    });
    let v1 = mounts.iter().filter(|(kind, ..)| *kind == "cgroup");
    let v1: Vec<_> =
        v1.flat_map(|(_, _, options)| options.split(',')).collect();
    Ok(judge(unified.as_deref(), &v1))
}

/// The cgroup mounts of a mountinfo: type, mount point, options of the
/// hierarchy.
fn hierarchies(mountinfo: &str) -> Vec<(&str, &str, &str)> {
    let parse = |line| -> Option<_> {
        let (mount, super_block) = str::split_once(line, " - ")?;
        let mut fields = super_block.split(' ');
        let kind = fields.next()?;
        Some((kind, mount.split(' ').nth(4)?, fields.nth(1)?))
    };
    let all = mountinfo.lines().filter_map(parse);
    all.filter(|(kind, ..)| kind.starts_with("cgroup")).collect()
}

/// `unified` is the list of controllers on v2, if it is mounted; `v1` all
/// options of v1 mounts.
fn judge(unified: Option<&str>, v1: &[&str]) -> Finding {
    let v2: Vec<_> = unified.unwrap_or_default().split_whitespace().collect();
    let layout = match (unified, v1.is_empty()) {
        (Some(_), true) => "v2",
        (Some(_), false) => "hybrid, controllers on v1",
        (None, false) => "v1",
        (None, true) => {
            let fix = "sudo mount -t cgroup2 none /sys/fs/cgroup";
            return Finding::missing("cgroups: none is mounted", fix, LIMITS);
        }
    };
    let has = |name: &&&str| v1.contains(*name) || v2.contains(*name);
    let missing: Vec<_> =
        NEEDED.iter().filter(|name| !has(name)).copied().collect();
    if missing.is_empty() {
        return Finding::fine(format!(
            "cgroup {layout}: {}",
            NEEDED.join(", ")
        ));
    }
    Finding::missing(
        format!("cgroup controllers {} (layout: {layout})", missing.join(", ")),
        "boot with the kernel option systemd.unified_cgroup_hierarchy=1",
        LIMITS,
    )
}

#[cfg(test)]
mod tests {
    use super::super::Finding;
    use super::{hierarchies, judge};

    const HYBRID: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw
";

    #[test]
    fn the_mount_table_tells_v1_from_v2() {
        let expected = [
            ("cgroup", "/sys/fs/cgroup/cpu", "rw,cpu,cpuacct"),
            ("cgroup2", "/sys/fs/cgroup/unified", "rw"),
        ];
        assert_eq!(hierarchies(HYBRID), expected);
    }

    #[test]
    fn each_layout_with_its_controllers_is_fine() {
        let v1 = ["rw", "cpu", "memory", "pids"];
        for (unified, v1) in [
            (Some("cpuset cpu io memory pids"), &[][..]),
            (Some("hugetlb"), &v1),
            (None, &v1),
        ] {
            let finding = judge(unified, v1);
            assert!(matches!(finding, Finding::Fine(_)), "{finding:?}");
        }
    }

    #[test]
    fn a_controller_on_neither_hierarchy_is_missing() {
        let Finding::Missing { what, .. } =
            judge(Some("hugetlb"), &["cpu", "pids"])
        else {
            panic!("memory is nowhere");
        };
        assert_eq!(
            what,
            "cgroup controllers memory (layout: hybrid, controllers on v1)"
        );
    }

    #[test]
    fn no_cgroup_at_all_blocks_the_chapters_with_limits() {
        let finding = judge(None, &[]);
        assert!(
            finding.shown().ends_with("of stage 1, 2, 5"),
            "{}",
            finding.shown()
        );
    }
}
