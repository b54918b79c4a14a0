//! Checks of a terminal: who has which end, and what a key does.

use super::held::{CAT, Held, LIMIT, ends, pidfd, readable};
use super::scratch::Scratch;
use super::{Claim, Subject};
use anyhow::{Context, Result};
use nix::cmsg_space;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::sys::stat::{fstat, makedev, stat};
use nix::unistd::{Pid, close};
use rustix::process::{PidfdGetfdFlags, pidfd_getfd};
use rustix::pty::ptsname;
use std::fs::{self, File};
use std::io::{IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::time::Instant;

static SENT: Claim = Claim {
    name: "the terminal's master comes over the socket",
    likely: "no message with SCM_RIGHTS was sent, or with another descriptor",
    man: "man 7 unix, man 4 pts",
};

static ANSWERS: Claim = Claim {
    name: "the command answers on the terminal",
    likely: "the slave is not its standard input and output",
    man: "man 4 pts",
};

static STREAMS: Claim = Claim {
    name: "its three standard streams are the slave",
    likely: "one of them was forgotten",
    man: "man 2 dup2",
};

static LEADER: Claim = Claim {
    name: "it leads a session that this terminal controls",
    likely: "setsid(2), and then the ioctl TIOCSCTTY, both in the child",
    man: "man 2 setsid, man 2 ioctl_tty",
};

static KEYS: Claim = Claim {
    name: "Ctrl-C ends it",
    likely: "a key makes a signal only for the session that it controls",
    man: "man 3 termios, ISIG",
};

/// The command was to run on a terminal whose master we are sent.
pub(crate) fn sent(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let path = scratch.path().join("console");
    let listener = UnixListener::bind(&path)?;
    let held = Held::spawn(Command::new(subject.program).arg(&path).args(CAT))?;
    let master = received(&listener)?;
    let number = match &master {
        Some(fd) => fstat(fd)?.st_rdev,
        None => 0,
    };
    let what = |is| if is { "a master" } else { "none" };
    SENT.same(&"a master", &what(number == makedev(5, 2)))?;
    let mut master = File::from(master.context("it is one")?);
    let slave = ptsname(&master, vec![])?.into_string()?;
    // Its echo, and the answer.
    master.write_all(b"ready\n")?;
    ANSWERS.same(&2, &ready_lines(&mut master)?)?;
    let command = held.command()?;
    let streams = [0, 1, 2].map(|fd| {
        let link = fs::read_link(format!("/proc/{command}/fd/{fd}"));
        link.map_or_else(|e| e.to_string(), |path| path.display().to_string())
    });
    STREAMS.same(&[&*slave; 3].join(" "), &streams.join(" "))?;
    let expected = (command.as_raw(), stat(&*slave)?.st_rdev);
    let shown = |(session, terminal): (i32, u64)| {
        format!("session {session}, terminal {terminal}")
    };
    LEADER.same(&shown(expected), &shown(session(command)?))?;
    let handle = pidfd(command)?;
    master.write_all(b"\x03")?;
    let fate = |ended| if ended { "it ends" } else { "it lives" };
    KEYS.same(&"it ends", &fate(ends(&handle)?))
}

/// The session and the controlling terminal.
///
/// Source: proc_pid_stat(5), fields 6 and 7
fn session(pid: Pid) -> Result<(i32, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, after) = text.rsplit_once(") ").context("a name in brackets")?;
    let fields: Vec<_> = after.split(' ').collect();
    Ok((fields[3].parse()?, fields[4].parse()?))
}

/// Counts the lines that are `ready`, until there are two or nothing comes.
fn ready_lines(master: &mut File) -> Result<usize> {
    let deadline = Instant::now() + LIMIT;
    let mut text = String::new();
    loop {
        let count = text.lines().filter(|line| *line == "ready").count();
        if count == 2 || !readable(master.as_fd(), deadline)? {
            return Ok(count);
        }
        let mut buffer = [0; 4096];
        // EIO: nobody has the slave any more.
        let Ok(more) = master.read(&mut buffer) else { return Ok(count) };
        text += &String::from_utf8_lossy(&buffer[..more]);
    }
}

/// Takes the descriptor that comes with the first message.
fn received(listener: &UnixListener) -> Result<Option<OwnedFd>> {
    let deadline = Instant::now() + LIMIT;
    if !readable(listener.as_fd(), deadline)? {
        return Ok(None);
    }
    let (socket, _) = listener.accept()?;
    if !readable(socket.as_fd(), deadline)? {
        return Ok(None);
    }
    first_right(&socket)?.map(owned).transpose()
}

fn first_right(socket: &UnixStream) -> Result<Option<RawFd>> {
    let mut bytes = [0; 4096];
    let mut io = [IoSliceMut::new(&mut bytes)];
    let mut space = cmsg_space!([RawFd; 1]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message =
        recvmsg::<()>(socket.as_raw_fd(), &mut io, Some(&mut space), flags)?;
    let rights = message.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::ScmRights(fds) => fds.first().copied(),
        _ => None,
    });
    Ok(rights)
}

/// A number that the kernel has given us becomes an owner without `unsafe`: by
/// asking for a copy of it.
fn owned(number: RawFd) -> Result<OwnedFd> {
    let own = pidfd(Pid::this())?;
    let copy = pidfd_getfd(&own, number, PidfdGetfdFlags::empty())?;
    close(number)?;
    Ok(copy)
}
