//! Checks of create and start: what is there in between, and what the second
//! half of the handshake refuses.

use super::held::{CAT, Held, LIMIT, ends, pidfd};
use super::proc::{argv, identity, status};
use super::runtime::Runtime;
use super::scratch::Scratch;
use super::{Claim, Subject};
use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::time::Instant;

static NOT_YET: Claim = Claim {
    name: "created, the program does not run",
    likely: "init goes on to execve(2) without waiting for `start`",
    man: "runtime-spec: runtime.md, \"Create\"; man 7 fifo",
};

static BUILT: Claim = Claim {
    name: "created, init has the bundle's root",
    likely: "`create` returns before init has told that it is ready",
    man: "runtime-spec: runtime.md, \"Lifecycle\", step 2",
};

static SAME: Claim = Claim {
    name: "started, init itself has become the program",
    likely: "init has made a child instead of calling execve(2)",
    man: "man 2 execve",
};

static ONCE: Claim = Claim {
    name: "a second `start` is refused",
    likely: "nothing is gone after the first: remove the FIFO",
    man: "runtime-spec: runtime.md, \"Start\"",
};

static NOBODY: Claim = Claim {
    name: "a `start` is refused when init has ended",
    likely: "open(2) of a FIFO without O_NONBLOCK waits for a reader that will \
             never come",
    man: "man 7 fifo",
};

/// The program was to be a runtime whose init waits.
pub(crate) fn waits(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let bundle = scratch.cat_bundle()?;
    let runtime = Runtime::of(subject, &scratch)?;
    let (mut held, init) = runtime.create(&bundle)?;
    if has_become_cat(init) {
        return Err(NOT_YET.fails("another program", CAT.join(" ")));
    }
    NOT_YET.same(&true, &true)?;
    let root = |path: String| match identity(path) {
        Ok((device, inode)) => format!("inode {inode} of device {device}"),
        Err(error) => error.to_string(),
    };
    let rootfs = bundle.join("root").display().to_string();
    BUILT.same(&root(rootfs), &root(format!("/proc/{init}/root")))?;
    runtime.start(&mut held)?;
    SAME.same(&CAT.join(" "), &argv(init).join(" "))?;
    refused(&ONCE, &runtime)?;
    end(init)?;

    let second = Runtime::of(subject, &scratch)?;
    let (_held, init) = second.create(&bundle)?;
    end(init)?;
    refused(&NOBODY, &second)
}

/// Whoever does not wait is on the way to execve(2) when `create` returns, and
/// there is an event at its end: the answer.
fn has_become_cat(init: Pid) -> bool {
    // A process that waits sleeps; one that does not becomes `cat` or ends.
    let deadline = Instant::now() + LIMIT;
    let busy = |state: &Vec<String>| {
        !["S", "Z", "X"].iter().any(|letter| state[0] == *letter)
    };
    while status(init, "State").as_ref().is_some_and(busy)
        && argv(init) != CAT
        && Instant::now() < deadline
    {
        std::thread::yield_now();
    }
    argv(init) == CAT
}

fn end(init: Pid) -> Result<()> {
    let handle = pidfd(init)?;
    kill(init, Signal::SIGKILL)?;
    ends(&handle)?;
    Ok(())
}

/// `start` has to fail, and soon.
fn refused(claim: &'static Claim, runtime: &Runtime) -> Result<()> {
    let mut call = Held::spawn(&mut runtime.command("start", &[]))?;
    match call.wait() {
        Ok(status) if !status.success() => claim.same(&true, &true),
        Ok(status) => Err(claim.fails("another exit status than 0", status)),
        Err(_) => Err(claim.fails("it fails", "it waits")),
    }
}
