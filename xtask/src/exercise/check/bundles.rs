//! Checks of bundles: what a runtime makes of them, as the kernel sees it.

use super::proc::{identity, namespace, status};
use super::runtime::Runtime;
use super::scratch::Scratch;
use super::{Claim, Subject};
use anyhow::{Context, Result};
use nix::unistd::Pid;
use std::fs;
use std::process::Command;

static MADE: Claim = Claim {
    name: "the bundle is there",
    likely: "the program ended before it had written config.json; what it said \
             is above",
    man: "runtime-spec: bundle.md",
};

static ROOT: Claim = Claim {
    name: "its root is the bundle's rootfs",
    likely: "root.path is relative to the bundle",
    man: "runtime-spec: config.md, \"Root\"",
};

static READ_ONLY: Claim = Claim {
    name: "it cannot write to its root",
    likely: "root.readonly is not true",
    man: "runtime-spec: config.md, \"Root\"",
};

static PID: Claim = own("it has a pid namespace of its own");
static NET: Claim = own("it has a network namespace of its own");
static IPC: Claim = own("it has an ipc namespace of its own");
static UTS: Claim = own("it has a uts namespace of its own");
static MOUNT: Claim = own("it has a mount namespace of its own");

const fn own(name: &'static str) -> Claim {
    Claim {
        name,
        likely: "its type is missing from linux.namespaces",
        man: "runtime-spec: config-linux.md, \"Namespaces\"",
    }
}

static USER: Claim = Claim {
    name: "it is user and group 1000",
    likely: "process.user has two numbers, uid and gid",
    man: "runtime-spec: config.md, \"User\"",
};

static POWERLESS: Claim = Claim {
    name: "it has no capability",
    likely: "process.capabilities lists some",
    man: "man 7 capabilities",
};

/// The program was to make a bundle, of which a container is run.
pub(crate) fn by_hand(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let bundle = scratch.path().join("bundle");
    let status = Command::new(subject.program).arg(&bundle).status();
    let status = status.with_context(|| format!("{:?}", subject.program))?;
    if !bundle.join("config.json").is_file() {
        return Err(MADE.fails("a config.json", status));
    }
    MADE.same(&true, &true)?;
    let runtime = Runtime::ours(&scratch)?;
    let (_held, pid) = runtime.run(&bundle)?;
    let root =
        |path: String| Ok::<_, anyhow::Error>(format!("{:?}", identity(path)?));
    let expected = root(bundle.join("rootfs").display().to_string())?;
    ROOT.same(&expected, &root(format!("/proc/{pid}/root"))?)?;
    READ_ONLY.same(&"ro", &if writable(pid)? { "rw" } else { "ro" })?;
    for (kind, claim) in [
        ("pid", &PID),
        ("net", &NET),
        ("ipc", &IPC),
        ("uts", &UTS),
        ("mnt", &MOUNT),
    ] {
        is_own(pid, kind, claim)?;
    }
    let ids = ["Uid", "Gid"].map(|key| line(pid, key));
    USER.same(&"1000, 1000".to_owned(), &ids.join(", "))?;
    POWERLESS.same(&"0000000000000000".to_owned(), &line(pid, "CapEff"))
}

fn is_own(pid: Pid, kind: &str, claim: &'static Claim) -> Result<()> {
    let (ours, theirs) = (namespace(Pid::this(), kind)?, namespace(pid, kind)?);
    if ours == theirs {
        return Err(claim.fails("another one than the host's", theirs));
    }
    claim.same(&true, &true)
}

/// The first word of a line of /proc/PID/status.
fn line(pid: Pid, key: &str) -> String {
    let words = status(pid, key).unwrap_or_default();
    words.into_iter().next().unwrap_or_default()
}

/// Tells whether the root of a process' mounts may be written to.
fn writable(pid: Pid) -> Result<bool> {
    let mounts = fs::read_to_string(format!("/proc/{pid}/mountinfo"))?;
    let words = |line: &str| line.split(' ').map(str::to_owned).collect();
    let mut lines = mounts.lines().map(words);
    let root = lines.find(|words: &Vec<_>| words[4] == "/");
    let root = root.context("no mount on /")?;
    Ok(root[5].split(',').any(|option| option == "rw"))
}
