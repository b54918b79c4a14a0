//! Checks of a memory limit, on cgroup v1, v2 and the mixture of both.

use super::cgroups::cgroup;
use super::held::{CAT, Held};
use super::{Claim, Subject};
use anyhow::Result;
use nix::unistd::Pid;

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
    let ours = cgroup(Pid::this(), "memory")?;
    let cgroup = cgroup(held.command()?, "memory")?;
    if cgroup.dir == ours.dir {
        let observed = cgroup.dir.display();
        return Err(OWN.fails("another one than ours", observed));
    }
    OWN.same(&true, &true)?;
    let limit = cgroup.read("memory.limit_in_bytes", "memory.max");
    LIMIT.same(&BYTES.to_string(), &limit)?;
    held.end()?;
    let word = |there| if there { "still there" } else { "gone" };
    REMOVED.same(&"gone", &word(cgroup.dir.exists()))
}
