//! Checks of pid namespaces: who is in one, whose /proc it sees, and whether
//! its first process does what it owes the others.

use super::answers::compare;
use super::held::{CAT, Held, ends, pidfd};
use super::proc::{namespace, parent, pid_inside, status};
use super::scratch::Scratch;
use super::{Claim, Subject};
use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

static NEW: Claim = Claim {
    name: "the command is in a pid namespace of its own",
    likely: "unshare(CLONE_NEWPID) takes in the children, not the caller",
    man: "man 7 pid_namespaces",
};

static OWN_PROC: Claim = Claim {
    name: "its /proc shows its own pid namespace",
    likely: "a /proc shows the pid namespace of whoever mounts it, so who \
             mounts it has to be in the new one already",
    man: "man 7 pid_namespaces, \"/proc and PID namespaces\"",
};

static HOST_PROC: Claim = Claim {
    name: "the host's /proc is as before",
    likely: "the mount came back to the host: make all mounts private first",
    man: "man 7 mount_namespaces",
};

static NOT_FIRST: Claim = Claim {
    name: "the command is the child of process 1",
    likely: "process 1 has to be your init, which starts the command",
    man: "man 7 pid_namespaces, \"The namespace init process\"",
};

static ADOPTED: Claim = Claim {
    name: "an orphan becomes the child of process 1",
    likely: "there is no init in between that the kernel could give it to",
    man: "man 7 pid_namespaces",
};

static REAPED: Claim = Claim {
    name: "an orphan that has ended is reaped",
    likely: "init waits for the command only; everything that loses its parent \
             is its child, too",
    man: "man 2 wait, NOTES",
};

static STATUS: Claim = Claim {
    name: "the exit status is the command's",
    likely: "init ended with another child's status, or the program ignores \
             how init ended",
    man: "man 2 wait",
};

/// Runs the program of the prediction and looks who is where.
pub(crate) fn prediction(subject: &Subject<'_>) -> Result<()> {
    let held = Held::start(subject.program, &[], &CAT)?;
    let commands = held.all(&CAT)?;
    let [first, second] = commands[..] else {
        anyhow::bail!("the program of the prediction has two children");
    };
    let old = namespace(Pid::this(), "pid")?;
    let caller = namespace(held.pid(), "pid")?;
    let both = [namespace(first, "pid")?, namespace(second, "pid")?];
    let inside = |pid| pid_inside(pid).map_or("none".into(), |n| n.to_string());
    let pids = [inside(first), inside(second)];
    let handle = pidfd(second)?;
    kill(first, Signal::SIGKILL)?;
    let fate = if ends(&handle)? { "dies" } else { "lives" };
    let [first_child, second_child] = pids;
    let word = |is, yes: &str, no: &str| if is { yes } else { no }.to_owned();
    compare(
        subject,
        &[
            ("the caller is in", word(caller == old, "old", "new")),
            ("the first child is in", word(both[0] == old, "old", "new")),
            ("the children are in", word(both[0] == both[1], "one", "two")),
            ("pid of the first child", first_child),
            ("pid of the second child", second_child),
            ("when the first is killed the second", fate.into()),
        ],
    )
}

/// The command was to see the processes of its namespace, and no others.
pub(crate) fn own_proc(subject: &Subject<'_>) -> Result<()> {
    let us = Pid::this();
    let before = namespace(us, "pid")?;
    let held = Held::start(subject.program, &[], &CAT)?;
    let command = held.command()?;
    new_namespace(command)?;
    let inside = pid_inside(command).context("it is held")?;
    let cmdline = format!("/proc/{command}/root/proc/{inside}/cmdline");
    let shown = fs::read_to_string(cmdline).unwrap_or_default();
    let words = shown.trim_end_matches('\0').replace('\0', " ");
    let it_is = |what: &str| format!("process {inside} in it is `{what}`");
    OWN_PROC.same(&it_is(&CAT.join(" ")), &it_is(&words))?;
    held.end()?;
    // Another /proc would not know us.
    let after = namespace(us, "pid").unwrap_or_else(|error| error.to_string());
    HOST_PROC.same(&before, &after)
}

/// The program was to be an init: adopt, reap, hand the exit status on.
pub(crate) fn init(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let fifo = scratch.path().join("fifo");
    mkfifo(&fifo, Mode::S_IRWXU)?;
    let fifo_name = fifo.to_str().context("a path in UTF-8")?;
    let script = format!("(cat {fifo_name} &); cat -; exit 7");
    let mut held = Held::start(subject.program, &[], &["sh", "-c", &script])?;
    new_namespace(held.command()?)?;
    let shell = parent(held.command()?).context("cat has a parent")?;
    NOT_FIRST.same(&1, &parent_inside(shell))?;

    let input = feed(&fifo)?;
    held.expect_line("orphan")?;
    let orphans = held.all(&["cat", fifo_name])?;
    let orphan = *orphans.first().context("it has just answered")?;
    ADOPTED.same(&1, &parent_inside(orphan))?;

    let handle = pidfd(orphan)?;
    drop(input);
    ends(&handle)?;
    REAPED.same(&"gone".to_owned(), &fate(orphan))?;
    STATUS.same(&"exit status: 7".to_owned(), &held.end()?.to_string())
}

/// The pid namespace of the command, which must not be ours.
fn new_namespace(command: Pid) -> Result<String> {
    let ours = namespace(Pid::this(), "pid")?;
    let theirs = namespace(command, "pid")?;
    if theirs == ours {
        return Err(NEW.fails("another one than ours", ours));
    }
    NEW.same(&theirs, &theirs)?;
    Ok(theirs)
}

/// The parent of a process, as their pid namespace counts; 0 if it has none
/// there.
fn parent_inside(pid: Pid) -> i32 {
    parent(pid).and_then(pid_inside).unwrap_or(0)
}

/// Gives a line to whoever reads the FIFO, and the end of it when dropped.
/// Opened for both directions, it need not wait for the reader.
fn feed(fifo: &Path) -> Result<File> {
    let mut input = File::options().read(true).write(true).open(fifo)?;
    input.write_all(b"orphan\n")?;
    Ok(input)
}

/// Waits until a process that has ended is reaped; says what it is if not.
fn fate(pid: Pid) -> String {
    // Reaping somebody else's child has no event. It follows the end at once,
    // or never.
    let deadline = Instant::now() + Duration::from_secs(1);
    while let Some(state) = status(pid, "State") {
        if Instant::now() > deadline {
            return state.join(" ");
        }
        std::thread::yield_now();
    }
    "gone".into()
}
