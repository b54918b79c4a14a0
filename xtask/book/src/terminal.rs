//! A pseudo-terminal with an interactive bash, as a reader has one.
//!
//! A pipe would not do: a nested `sh` would swallow the commands after it. A terminal hands out
//! one line per read(2), so whoever reads next (shell, nested shell) gets exactly the next line.
//! Behind each command we type a marker, which that reader prints together with `$?`.

use crate::reaper::Reaper;
use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{
    LocalFlags, OutputFlags, SetArg, tcgetattr, tcsetattr,
};
use nix::unistd::{Gid, Pid, Uid, fchown, read, tcgetpgrp, write};
use regex::Regex;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// What a command may print before we call it out of hand, in bytes.
const LIMIT: usize = 1 << 20;

/// A window as wide as `ps` likes it; nobody looks at the height.
const WINDOW: Winsize =
    Winsize { ws_row: 50, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };

/// The prompt of a nested shell that did not inherit our empty PS1.
static PROMPT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:\[[^\]]*\] ?|[^\s#$]* ?)?[#$] $")
        .expect("a constant pattern")
});

/// Control sequences, carriage returns: what a program does to a screen, not what it says.
static SCREEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r")
        .expect("a constant pattern")
});

/// Who uses the terminal, and where.
pub(crate) struct Login<'a> {
    /// Dropped to in the shell, if we are another.
    pub(crate) user: (Uid, Gid),
    pub(crate) home: &'a Path,
    /// PATH and the like; nothing else is in the environment.
    pub(crate) environment: &'a [(&'static str, String)],
}

/// How the wait for a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The shell that reads the terminal now says `$?`.
    Status(i32),
    /// Nobody took the marker before the deadline.
    Hang,
    /// The shell is gone, and with it the terminal.
    Closed,
    /// More output than anybody would read.
    TooMuch,
}

/// An open terminal; its bash ends when it is dropped.
pub(crate) struct Terminal {
    master: OwnedFd,
    shell: Pid,
    /// What was shown since the last command was answered.
    seen: Vec<u8>,
    /// Makes each marker another.
    typed: u32,
}

impl Terminal {
    /// Opens a terminal and starts bash on it.
    ///
    /// `setsid --ctty` makes it the controlling terminal, as getty does: job control works, and
    /// no code of ours has to run between fork and exec.
    ///
    /// # Errors
    /// No free pseudo-terminal; setsid (util-linux) or bash is not installed.
    pub(crate) fn open(login: &Login<'_>, reaper: &Reaper) -> Result<Terminal> {
        let pty = openpty(&WINDOW, None).context("openpty(..)")?;
        fcntl(&pty.master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))
            .context("fcntl(F_SETFD)")?;
        quieten(&pty.slave)?;
        let (uid, gid) = login.user;
        fchown(&pty.slave, Some(uid), None).context("fchown(terminal, ..)")?;
        let slave = File::from(pty.slave);
        let mut bash = Command::new("setsid");
        bash.args([
            "--ctty",
            "bash",
            "--norc",
            "--noprofile",
            "--noediting",
            "-i",
        ]);
        bash.env_clear().envs(login.environment.iter().map(|(k, v)| (k, v)));
        bash.current_dir(login.home)
            .stdin(slave.try_clone()?)
            .stdout(slave.try_clone()?);
        bash.stderr(Stdio::from(slave));
        if Uid::effective().is_root() {
            bash.uid(uid.as_raw()).gid(gid.as_raw());
        }
        let shell = reaper.spawn(&mut bash)?;
        Ok(Terminal { master: pty.master, shell, seen: Vec::new(), typed: 0 })
    }

    /// The pid of its bash.
    pub(crate) fn shell(&self) -> Pid {
        self.shell
    }

    /// Types a line, or several.
    ///
    /// # Errors
    /// The terminal is closed.
    pub(crate) fn enter(&mut self, lines: &str) -> Result<()> {
        self.send(&format!("{lines}\n"))
    }

    /// Types Ctrl-C: the terminal sends SIGINT to its foreground process group. Waits until bash
    /// is in the foreground again, because the dying program could still read what we type next.
    ///
    /// # Errors
    /// The terminal is closed; we were interrupted ourselves.
    pub(crate) fn interrupt(
        &mut self,
        reaper: &Reaper,
        limit: Duration,
    ) -> Result<bool> {
        self.send("\x03")?;
        reaper.until(limit, || tcgetpgrp(&self.master) == Ok(self.shell))
    }

    /// Types the marker, and waits for whoever answers it.
    ///
    /// # Errors
    /// We were interrupted.
    pub(crate) fn answer(
        &mut self,
        reaper: &Reaper,
        deadline: Instant,
    ) -> Result<(String, Ending)> {
        self.typed += 1;
        let name = format!("book-{}-{}", self.shell, self.typed);
        // `$?` must survive the marker without a fork: a page may be about pids.max.
        self.enter(&format!(
            " __s=$?; __book() {{ printf '@@%s:%s@@\\n' \"$1\" \"$2\"; PS1= PS2=; return \"$2\"; }}; __book {name} $__s"
        ))?;
        let mark = Regex::new(&format!("@@{name}:([0-9]+)@@\r?\n"))
            .expect("name needs no escape");
        let mut status = None;
        let ending = self.watch(reaper, deadline, |seen| {
            status =
                mark.captures(seen).and_then(|found| found[1].parse().ok());
            status.is_some()
        })?;
        let seen = String::from_utf8_lossy(&std::mem::take(&mut self.seen))
            .into_owned();
        let seen = SCREEN.replace_all(&seen, "").into_owned();
        match (status, mark.find(&seen)) {
            (Some(status), Some(mark)) => {
                self.seen = seen.as_bytes()[mark.end()..].to_vec();
                Ok((
                    without_prompt(&seen[..mark.start()]).to_owned(),
                    Ending::Status(status),
                ))
            }
            _ => Ok((seen, ending.unwrap_or(Ending::Hang))),
        }
    }

    /// Waits until `lines` whole lines were shown, and takes them; the command keeps running.
    ///
    /// # Errors
    /// We were interrupted.
    pub(crate) fn lines(
        &mut self,
        reaper: &Reaper,
        deadline: Instant,
        lines: usize,
    ) -> Result<String> {
        self.watch(reaper, deadline, |seen| {
            seen.matches('\n').count() >= lines
        })?;
        let seen = String::from_utf8_lossy(&self.seen).into_owned();
        let end = seen
            .match_indices('\n')
            .nth(lines.saturating_sub(1))
            .map(|(at, _)| at + 1);
        let end = if lines == 0 { 0 } else { end.unwrap_or(seen.len()) };
        self.seen = seen.as_bytes()[end..].to_vec();
        Ok(SCREEN.replace_all(&seen[..end], "").into_owned())
    }

    /// Reads until `done` with all that was seen; else tells why there will be no more.
    fn watch(
        &mut self,
        reaper: &Reaper,
        deadline: Instant,
        mut done: impl FnMut(&str) -> bool,
    ) -> Result<Option<Ending>> {
        let mut buffer = [0; 4096];
        loop {
            if done(&String::from_utf8_lossy(&self.seen)) {
                return Ok(None);
            }
            if self.seen.len() > LIMIT {
                return Ok(Some(Ending::TooMuch));
            }
            if !reaper.readable(self.master.as_fd(), deadline)? {
                return Ok(Some(Ending::Hang));
            }
            match read(&self.master, &mut buffer) {
                Ok(0) | Err(Errno::EIO) => return Ok(Some(Ending::Closed)),
                Ok(count) => self.seen.extend_from_slice(&buffer[..count]),
                Err(Errno::EINTR) => {}
                Err(error) => bail!("read(terminal, ..) = {error}"),
            }
        }
    }

    fn send(&mut self, text: &str) -> Result<()> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let count =
                write(&self.master, rest).context("write(terminal, ..)")?;
            rest = &rest[count..];
        }
        Ok(())
    }
}

/// No echo, because the page's line is not the terminal's; no `\r\n`. Editors in nested shells
/// see that echo is off and stay away.
fn quieten(slave: &OwnedFd) -> Result<()> {
    let mut settings = tcgetattr(slave).context("tcgetattr(..)")?;
    settings
        .local_flags
        .remove(LocalFlags::ECHO | LocalFlags::ECHOE | LocalFlags::ECHOK);
    settings.output_flags.remove(OutputFlags::OPOST);
    tcsetattr(slave, SetArg::TCSANOW, &settings).context("tcsetattr(..)")
}

/// Drops the prompt that a nested shell printed before it read the marker.
fn without_prompt(seen: &str) -> &str {
    let last = seen.rfind('\n').map_or(0, |newline| newline + 1);
    if PROMPT.is_match(&seen[last..]) { &seen[..last] } else { seen }
}
