//! Cgroup v2: one tree; a cgroup either has processes or gives controllers to
//! its children, never both (the root may). "Linux 4.5 (2016-03)".

use super::files;
use super::limits::CpuQuota;
use super::set::{Absent, Row};
use super::weight::CpuWeight;
use crate::error::Result;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::fmt;
use std::path::{Path, PathBuf};

/// The controllers that we ask for.
pub(super) const CONTROLLERS: [&str; 7] =
    ["cpu", "memory", "pids", "io", "cpuset", "hugetlb", "rdma"];

const BYTES: &str = "bytes, or max";

/// The files to write, in this order.
///
/// Source: Documentation/admin-guide/cgroup-v2.rst
// ANCHOR: rows
pub(super) const ROWS: &[Row] = &[
    Row::new("memory.max", BYTES, |l| text(l.memory)),
    Row::new("memory.high", BYTES, |l| text(l.memory_high)),
    Row::new("memory.low", BYTES, |l| text(l.memory_low)),
    Row::new("memory.swap.max", BYTES, |l| text(l.swap)),
    Row::new("pids.max", "0 to 4194304, or max", |l| text(l.pids)),
    Row::new("cpu.max", CPU_MAX, |l| text(l.cpu_quota.map(quota_and_period))),
    Row::new("cpu.max.burst", "0 to the quota, in us", |l| text(l.cpu_burst)),
    Row::new("cpu.weight", "1 to 10000, if it is not idle", |l| {
        text(l.weight_unless_idle().map(CpuWeight::weight))
    }),
    Row::new("cpu.idle", "0 or 1", |l| text(l.cpu_idle.map(u8::from))),
    Row::new("cpuset.cpus", "a list such as 0-3,7", |l| text(l.cpus.as_ref())),
    Row::new("cpuset.mems", "a list such as 0-3,7", |l| text(l.mems.as_ref())),
    Row::new("io.weight", "1 to 10000", |l| text(l.io_weight.map(|w| w.0))),
    Row::new("io.weight", "a whole disk and 1 to 10000: 8:0 100", |l| {
        l.io_weights.iter().map(|(disk, w)| format!("{disk} {}", w.0)).collect()
    }),
    Row::new("io.max", "a whole disk and rbps, wbps, riops, wiops", |l| {
        l.io.iter().map(ToString::to_string).collect()
    }),
    Row::new("rdma.max", super::v1::RDMA, |l| {
        l.rdma.iter().map(ToString::to_string).collect()
    }),
];
// ANCHOR_END: rows

const CPU_MAX: &str = "a quota of 1000 us or more, or max, and a period of 1000 \
                       to 1000000 us";

pub(super) const ABSENT: &[Absent] = &[
    Absent {
        asked: |l| l.swappiness.map(|_| "memory.swappiness".into()),
        instead: "cgroup v2 has no swappiness: limit the swap itself",
    },
    Absent {
        asked: |l| {
            let asked = l.rt_runtime.or(l.rt_period);
            asked.map(|_| "cpu.rt_runtime_us".into())
        },
        instead: "cgroup v2 has no quota of real time: limit cpu.max",
    },
    Absent {
        asked: |l| (l.oom_kill == Some(false)).then(|| "no oom_kill".into()),
        instead: "cgroup v2 always kills: limit memory.high, which slows down",
    },
    Absent {
        asked: |l| l.net_class.map(|_| "net_cls.classid".into()),
        instead: NO_NET,
    },
    Absent {
        asked: |l| {
            l.net_priorities.first().map(|_| "net_prio.ifpriomap".into())
        },
        instead: NO_NET,
    },
];

const NO_NET: &str = "cgroup v2 marks no packets: match the cgroup itself, with \
                      nft's `socket cgroupv2` or iptables' `-m cgroup --path`";

/// Gives the value to write, if there is one.
pub(super) fn text(value: Option<impl fmt::Display>) -> Vec<String> {
    value.iter().map(ToString::to_string).collect()
}

fn quota_and_period(cpu: CpuQuota) -> String {
    format!("{} {}", cpu.quota, cpu.period)
}

/// Lets every cgroup above `cgroup` give its controllers down, as far as they
/// allow.
///
/// A failure is not told here: the file of the limit will be missing then, and
/// that error names the controller.
pub(super) fn enable_controllers(mount: &Path, cgroup: &Path) {
    for dir in above(mount, cgroup) {
        let available =
            files::read(&dir.join("cgroup.controllers")).unwrap_or_default();
        for controller in CONTROLLERS.iter().filter(|c| names(&available, c)) {
            // One by one: a single controller that is refused would take the
            // others with it.
            let _ = files::write(
                &dir.join("cgroup.subtree_control"),
                &format!("+{controller}"),
            );
        }
    }
}

/// Says why a controller's files are missing: the first cgroup from the top
/// that has the controller and does not give it down.
pub(super) fn why_missing(
    mount: &Path,
    cgroup: &Path,
    controller: &str,
) -> String {
    let list = |dir: &Path, file| files::read(&dir.join(file));
    let holds = |dir: &PathBuf| {
        let given = list(dir, "cgroup.subtree_control").unwrap_or_default();
        !names(&given, controller)
    };
    let Some(dir) = above(mount, cgroup).into_iter().find(holds) else {
        return format!("this kernel has not that file of {controller}");
    };
    let there = list(&dir, "cgroup.controllers").unwrap_or_default();
    match names(&there, controller) {
        true => format!(
            "enable the {controller} controller: echo +{controller} > \
             {}/cgroup.subtree_control (no process may be in that cgroup)",
            dir.display()
        ),
        false => format!(
            "the {controller} controller is not in {}/cgroup.controllers: not \
             in this kernel, or held by cgroup v1",
            dir.display()
        ),
    }
}

fn names(list: &str, controller: &str) -> bool {
    list.split_whitespace().any(|name| name == controller)
}

/// Lists the cgroups above one, from the top.
fn above(mount: &Path, cgroup: &Path) -> Vec<PathBuf> {
    let above = cgroup.ancestors().skip(1);
    let above = above.take_while(|dir| dir.starts_with(mount));
    let mut dirs: Vec<_> = above.map(Path::to_owned).collect();
    dirs.reverse();
    dirs
}

/// Kills all with one write: nobody can fork away. Before Linux 5.14 (2021-08):
/// one by one, in the caller's loop.
pub(super) fn kill(cgroup: &Path, pids: &[Pid]) -> Result<()> {
    match files::write(&cgroup.join("cgroup.kill"), "1") {
        Err(error) if error.errno == Errno::ENOENT => {
            super::v1::kill(None, pids)
        }
        result => result,
    }
}
