//! Which cgroup a process is in for a controller, and what its files say: on
//! cgroup v1, v2 and the mixture of both.

use super::runtime::Runtime;
use super::scratch::Scratch;
use super::{Claim, Subject};
use anyhow::{Context, Result};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};

static MEMORY: Claim = limit(
    "it may use 64 MiB of memory",
    "linux.resources.memory.limit counts bytes",
    "runtime-spec: config-linux.md, \"Memory\"",
);
static PIDS: Claim = limit(
    "it may be 20 processes",
    "linux.resources.pids.limit; each thread counts as one",
    "runtime-spec: config-linux.md, \"PIDs\"",
);
static CPU: Claim = limit(
    "it may use half a processor",
    "linux.resources.cpu.quota is the time in each linux.resources.cpu.period; \
     both count microseconds",
    "runtime-spec: config-linux.md, \"CPU\"",
);

const fn limit(
    name: &'static str,
    likely: &'static str,
    man: &'static str,
) -> Claim {
    Claim { name, likely, man }
}

/// The learner's config.json was to limit memory, processes and processor.
pub(crate) fn configured(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let runtime = Runtime::of(subject, &scratch)?;
    let bundle = scratch.bundle(subject)?;
    let (_held, pid) = runtime.run(&bundle)?;
    let memory = cgroup(pid, "memory")?;
    let limit = memory.read("memory.limit_in_bytes", "memory.max");
    MEMORY.same(&(64 << 20).to_string(), &limit)?;
    let pids = cgroup(pid, "pids")?.read("pids.max", "pids.max");
    PIDS.same(&"20".to_owned(), &pids)?;
    let share = format!("{:?} of a processor", share(&cgroup(pid, "cpu")?));
    CPU.same(&"Some(0.5) of a processor".to_owned(), &share)
}

/// How much of a processor it may use; `None` is all of all.
fn share(cpu: &Cgroup) -> Option<f64> {
    let quota = cpu.read("cpu.cfs_quota_us", "cpu.max");
    let (quota, period) = match quota.split_once(' ') {
        Some((quota, period)) => (quota.to_owned(), period.to_owned()),
        None => (quota, cpu.read("cpu.cfs_period_us", "cpu.max")),
    };
    let quota: f64 = quota.parse().ok().filter(|quota| *quota > 0.0)?;
    Some(quota / period.parse::<f64>().ok()?)
}

/// A cgroup's directory in one hierarchy.
#[derive(Debug, PartialEq)]
pub(crate) struct Cgroup {
    pub(crate) dir: PathBuf,
    v1: bool,
}

impl Cgroup {
    /// Reads the file that has this name in its version; what it says if it
    /// cannot be read is why.
    pub(crate) fn read(&self, v1: &str, v2: &str) -> String {
        let file = if self.v1 { v1 } else { v2 };
        let text = fs::read_to_string(self.dir.join(file))
            .unwrap_or_else(|error| format!("no {file}: {error}"));
        text.trim().to_owned()
    }
}

/// The cgroup of a process that a controller accounts for it in.
///
/// # Errors
/// The process is gone, or the controller is mounted nowhere.
pub(crate) fn cgroup(pid: Pid, controller: &str) -> Result<Cgroup> {
    let membership = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    located(controller, &membership, &mounts)
        .with_context(|| format!("no {controller} controller is mounted"))
}

/// A v1 hierarchy with the controller, else the v2 one.
fn located(controller: &str, membership: &str, mounts: &str) -> Option<Cgroup> {
    let lines = || membership.lines().map(|line| line.splitn(3, ':').skip(1));
    let path = |wanted: &dyn Fn(&str) -> bool| {
        let mut all = lines().filter_map(|mut f| Some((f.next()?, f.next()?)));
        all.find(|(controllers, _)| wanted(controllers)).map(|(_, path)| path)
    };
    let has = |all: &str| all.split(',').any(|c| c == controller);
    let (inside, v1) = match path(&has) {
        Some(inside) => (inside, true),
        None => (path(&str::is_empty)?, false),
    };
    let kind = if v1 { "cgroup" } else { "cgroup2" };
    let mount = mounts.lines().find_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        let mut source = source.split(' ');
        let right = source.next()? == kind && (!v1 || has(source.next_back()?));
        right.then(|| mount.split(' ').nth(4)).flatten()
    })?;
    let dir = Path::new(mount).join(inside.trim_start_matches('/'));
    Some(Cgroup { dir, v1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "33 27 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup \
                      rw,memory\n";
    const V2: &str = "26 18 0:23 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn a_machine_with_both_accounts_for_memory_in_v1() {
        let both = format!("{V2}{V1}");
        let found = located("memory", "6:memory:/a/b\n0::/c\n", &both).unwrap();
        assert_eq!(found.dir, Path::new("/sys/fs/cgroup/memory/a/b"));
        assert!(found.v1);
    }

    #[test]
    fn without_v1_it_is_the_v2_hierarchy() {
        let found = located("memory", "0::/c\n", V2).unwrap();
        assert_eq!(found.dir, Path::new("/sys/fs/cgroup/c"));
        assert!(!found.v1);
    }
}
