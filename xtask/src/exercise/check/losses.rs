//! Checks of what a command has lost on its way: root, rights, groups.

use super::held::{CAT, Held};
use super::proc::{identity, status};
use super::scratch::Scratch;
use super::{Claim, Subject};
use anyhow::Result;
use nix::unistd::{Gid, Pid, setgroups};
use std::fs;

static ROOT: Claim = Claim {
    name: "the command's root is the directory that was given",
    likely: "pivot_root(2) needs CAP_SYS_ADMIN",
    man: "man 2 pivot_root",
};

static PROC: Claim = Claim {
    name: "a /proc is mounted on it",
    likely: "mount(2) needs CAP_SYS_ADMIN, and /proc has to be mounted in the \
             new root",
    man: "man 2 mount",
};

static USER: Claim = Claim {
    name: "it is the user and group that was given",
    likely: "a group can be changed only as long as one has CAP_SETGID",
    man: "man 2 setgid, man 7 credentials",
};

static GROUPS: Claim = Claim {
    name: "it is in no other group",
    likely: "setgroups(2) was not called, or failed: root's groups stay",
    man: "man 2 setgroups",
};

static RIGHTS: Claim = Claim {
    name: "it has no capability, and can get none",
    likely: "the bounding set is as before: a set-user-ID program would give \
             some back",
    man: "man 7 capabilities",
};

/// Who the command is to be.
const ID: &str = "1234";

/// The command was to be nobody special in a root of its own.
pub(crate) fn ordered(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let root = scratch.root()?;
    // Groups that would be missed if nobody dropped them.
    setgroups(&[0, 27].map(Gid::from_raw))?;
    let args = [root.clone().into(), ID.into()];
    let held = Held::start(subject.program, &args, &CAT)?;
    let command = held.command()?;
    let shown = |path: String| match identity(path) {
        Ok((device, inode)) => format!("inode {inode} of device {device}"),
        Err(error) => error.to_string(),
    };
    let expected = shown(root.display().to_string());
    ROOT.same(&expected, &shown(format!("/proc/{command}/root")))?;
    let mounts = fs::read_to_string(format!("/proc/{command}/mountinfo"))?;
    let there = mounts.lines().any(|line| {
        line.split(' ').nth(4) == Some("/proc") && line.contains(" - proc ")
    });
    PROC.same(&true, &there)?;
    let four = [ID; 4].join(" ");
    USER.same(
        &format!("{four}, {four}"),
        &["Uid", "Gid"].map(|key| line(command, key)).join(", "),
    )?;
    GROUPS.same(&String::new(), &line(command, "Groups"))?;
    let none = "0000000000000000";
    RIGHTS.same(
        &[none; 4].join(" "),
        &["CapInh", "CapPrm", "CapEff", "CapBnd"]
            .map(|key| line(command, key))
            .join(" "),
    )
}

/// A line of /proc/PID/status.
fn line(pid: Pid, key: &str) -> String {
    status(pid, key).unwrap_or_default().join(" ")
}
