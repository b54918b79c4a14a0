//! Checks of what a process has as `/`: whether it got out, or cannot.

use super::held::{CAT, Held};
use super::proc::{identity, namespace};
use super::scratch::Scratch;
use super::{Claim, Subject};
use anyhow::{Context, Result, anyhow};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::thread;

static OUTSIDE: Claim = Claim {
    name: "the command stands at the host's root",
    likely: "its root was not moved: after `..` has passed the jail, chroot \
             once more, to where you stand",
    man: "man 2 chroot, NOTES",
};

static INSIDE: Claim = Claim {
    name: "the command's root is the directory that was given",
    likely: "pivot_root wants the new root to be a mount point and the working \
             directory",
    man: "man 2 pivot_root",
};

static OWN_MOUNTS: Claim = Claim {
    name: "the command has a mount namespace of its own",
    likely: "without CLONE_NEWNS the host's root would be exchanged",
    man: "man 7 mount_namespaces",
};

static GONE: Claim = Claim {
    name: "the host's root is gone from its mount namespace",
    likely: "chroot only moves what `/` means to one process; pivot_root \
             exchanges the mount, and umount2(MNT_DETACH) removes the old one",
    man: "man 2 pivot_root, \"pivot_root(\\\".\\\", \\\".\\\")\"",
};

static UNHARMED: Claim = Claim {
    name: "the host's mounts are as before",
    likely: "propagation: make every mount private before you mount anything",
    man: "man 7 mount_namespaces, SHARED SUBTREES",
};

/// The command was to be executed outside of the jail.
pub(crate) fn left(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let jail = scratch.root()?;
    let held = Held::start(subject.program, &[jail.into()], &CAT)?;
    let root = shown_root(held.command()?)?;
    OUTSIDE.same(&shown_root(Pid::this())?, &root)
}

/// The command was to be executed in the root, with no way back.
pub(crate) fn pivoted(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let root = scratch.root()?;
    let before = mounts()?;
    let args = [root.clone().into()];
    let held = Held::start(subject.program, &args, &CAT)?;
    let command = held.command()?;
    INSIDE.same(&name(identity(&root)?), &shown_root(command)?)?;
    let ours = namespace(Pid::this(), "mnt")?;
    if namespace(command, "mnt")? == ours {
        return Err(OWN_MOUNTS.fails("another namespace", ours));
    }
    GONE.same(&name(identity(&root)?), &root_of_mounts(command)?)?;
    held.end()?;
    UNHARMED.same(&before, &mounts()?)
}

/// Says which directory a process has as `/`.
fn shown_root(pid: Pid) -> Result<String> {
    Ok(name(identity(format!("/proc/{pid}/root"))?))
}

/// Says which directory the root of a process' *mount namespace* is, wherever
/// chroot(2) has put the process. setns(2) leads whoever enters there.
fn root_of_mounts(pid: Pid) -> Result<String> {
    let file = format!("/proc/{pid}/ns/mnt");
    let namespace = File::open(&file).context(file)?;
    // A thread of its own, which has its root to itself and then ends: there
    // would be no way back for us.
    let look = move || -> Result<String> {
        unshare(CloneFlags::CLONE_FS)?;
        setns(namespace, CloneFlags::CLONE_NEWNS)?;
        Ok(name(identity("/")?))
    };
    thread::spawn(look).join().map_err(|_| anyhow!("a thread panicked"))?
}

/// A directory in words.
fn name(identity: (u64, u64)) -> String {
    let host = super::proc::identity("/proc/self/root").unwrap_or((0, 0));
    let (device, inode) = identity;
    let what = match identity == host {
        true => "the host's root",
        false => "another directory",
    };
    format!("{what} (inode {inode} of device {device})")
}

/// The number of mounts that this process sees.
fn mounts() -> Result<usize> {
    Ok(fs::read_to_string("/proc/self/mountinfo")?.lines().count())
}
