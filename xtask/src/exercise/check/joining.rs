//! Checks of entering a box: namespaces that another process is in.

use super::held::{CAT, Held};
use super::proc::namespace;
use super::{Claim, Subject};
use anyhow::Result;
use nix::unistd::Pid;
use std::path::Path;

static UTS: Claim = joined_kind(
    "the command is in the box's uts namespace",
    "setns(2) was not called, or not with CLONE_NEWUTS",
);
static IPC: Claim = joined_kind(
    "the command is in the box's ipc namespace",
    "CLONE_NEWIPC is missing from the flags",
);
static NET: Claim = joined_kind(
    "the command is in the box's net namespace",
    "CLONE_NEWNET is missing from the flags",
);
static PID: Claim = joined_kind(
    "the command is in the box's pid namespace",
    "setns(CLONE_NEWPID) takes in the children that come after it, never the \
     caller: the command has to be a child",
);

static ELSEWHERE: Claim = Claim {
    name: "the command keeps its mount namespace",
    likely: "the flags name CLONE_NEWNS, and the task does not",
    man: "man 2 setns",
};

const fn joined_kind(name: &'static str, likely: &'static str) -> Claim {
    Claim { name, likely, man: "man 2 setns" }
}

/// What util-linux makes the box with.
const BOX: &[&str] = &["--uts", "--ipc", "--net", "--pid", "--mount", "--fork"];

/// The command was to be in four namespaces of the box, and only in those.
pub(crate) fn joined(subject: &Subject<'_>) -> Result<()> {
    let options: Vec<_> = BOX.iter().map(Into::into).collect();
    let inhabitant = Held::start(Path::new("unshare"), &options, &CAT)?;
    let target = inhabitant.command()?;
    let args = [target.to_string().into()];
    let held = Held::start(subject.program, &args, &CAT)?;
    let command = held.command()?;
    for (kind, claim) in
        [("uts", &UTS), ("ipc", &IPC), ("net", &NET), ("pid", &PID)]
    {
        claim.same(&namespace(target, kind)?, &namespace(command, kind)?)?;
    }
    let ours = namespace(Pid::this(), "mnt")?;
    ELSEWHERE.same(&ours, &namespace(command, "mnt")?)
}
