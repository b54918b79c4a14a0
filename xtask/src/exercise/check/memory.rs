//! Checks of a memory limit, on cgroup v1, v2 and the mixture of both.

use super::held::{CAT, Held};
use super::{Claim, Subject};
use anyhow::{Context, Result};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};

/// What the command may use: a number that nothing has by chance.
const BYTES: u64 = 48 * 1024 * 1024;

static OWN: Claim = Claim {
    name: "the command is in a memory cgroup of its own",
    likely: "a cgroup was made, but the command's pid was not written to its \
             cgroup.procs",
    man: "man 7 cgroups",
};

static LIMIT: Claim = Claim {
    name: "its limit is the number of bytes that was given",
    likely: "the limit was set in another cgroup, or not at all",
    man: "man 7 cgroups; Documentation/admin-guide/cgroup-v2.rst, memory.max",
};

static REMOVED: Claim = Claim {
    name: "the cgroup is gone when the command is",
    likely: "nobody removes it: rmdir(2), once no process is in it",
    man: "man 7 cgroups",
};

/// The command was to run with that limit, and nothing to be left.
pub(crate) fn limited(subject: &Subject<'_>) -> Result<()> {
    let args = [BYTES.to_string().into()];
    let held = Held::start(subject.program, &args, &CAT)?;
    let (ours, _) = memory_cgroup(Pid::this())?;
    let (cgroup, file) = memory_cgroup(held.command()?)?;
    if cgroup == ours {
        let observed = cgroup.display();
        return Err(OWN.fails("another one than ours", observed));
    }
    OWN.same(&true, &true)?;
    let limit = fs::read_to_string(cgroup.join(file))
        .unwrap_or_else(|error| format!("no {file}: {error}"));
    LIMIT.same(&BYTES.to_string(), &limit.trim().to_owned())?;
    held.end()?;
    let word = |there| if there { "still there" } else { "gone" };
    REMOVED.same(&"gone", &word(cgroup.exists()))
}

/// The directory of the cgroup that accounts for a process' memory, and the
/// name of the file with its limit.
fn memory_cgroup(pid: Pid) -> Result<(PathBuf, &'static str)> {
    let membership = fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    located(&membership, &mounts).context("no memory controller is mounted")
}

/// A v1 hierarchy with the memory controller, else the v2 one.
fn located(membership: &str, mounts: &str) -> Option<(PathBuf, &'static str)> {
    let lines = || membership.lines().map(|line| line.splitn(3, ':').skip(1));
    let path = |wanted: &dyn Fn(&str) -> bool| {
        let mut all = lines().filter_map(|mut f| Some((f.next()?, f.next()?)));
        all.find(|(controllers, _)| wanted(controllers)).map(|(_, path)| path)
    };
    let v1 = |controllers: &str| controllers.split(',').any(|c| c == "memory");
    let (inside, kind, file) = match path(&v1) {
        Some(inside) => (inside, "cgroup", "memory.limit_in_bytes"),
        None => (path(&str::is_empty)?, "cgroup2", "memory.max"),
    };
    let mount = mounts.lines().find_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        let mut source = source.split(' ');
        let right = source.next()? == kind
            && (kind == "cgroup2" || v1(source.next_back()?));
        right.then(|| mount.split(' ').nth(4)).flatten()
    })?;
    let inside = inside.trim_start_matches('/');
    Some((Path::new(mount).join(inside), file))
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
        let found = located("6:memory:/a/b\n0::/c\n", &both).unwrap();
        let expected = Path::new("/sys/fs/cgroup/memory/a/b");
        assert_eq!(found, (expected.into(), "memory.limit_in_bytes"));
    }

    #[test]
    fn without_v1_it_is_the_v2_hierarchy() {
        let found = located("0::/c\n", V2).unwrap();
        let expected = Path::new("/sys/fs/cgroup/c");
        assert_eq!(found, (expected.into(), "memory.max"));
    }
}
