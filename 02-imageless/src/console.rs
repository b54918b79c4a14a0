//! A container's terminal (`process.terminal`): a pair of descriptors. The
//! program gets one end as its standard input, output and error; the other goes
//! to whoever talks with it: the engine, or our own foreground.
//!
//! Everything is reached by descriptor: a path such as /dev/pts/0 belongs to
//! the container, which may have put something else there (CVE-2025-52565).

use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::mounts::Mount;
use namespaces::process::{receive_fd, send_fd};
use namespaces::root::{Root, path_of, status};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, makedev};
use nix::sys::statfs::{DEVPTS_SUPER_MAGIC, fstatfs};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};
use oci_spec::runtime::Process;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Who is to hold the other end of a terminal.
#[derive(Debug)]
pub(crate) enum Console {
    /// Nobody: we return, and no socket was given.
    Nobody,
    /// The engine that listens on `--console-socket`.
    Engine(PathBuf),
    /// We ourselves, until the program has ended.
    Foreground,
}

/// The way on which init sends its master to whoever is to hold it.
#[derive(Debug)]
pub(crate) struct Courier {
    to: OwnedFd,
    ours: Option<OwnedFd>,
}

impl Console {
    /// Prepares the way, if the process is to have a terminal.
    ///
    /// # Errors
    /// A terminal that nobody would hold; a socket for no terminal. ENOENT,
    /// ECONNREFUSED: nobody listens on the socket.
    ///
    /// Source: runc's docs/terminals.md
    pub(crate) fn courier(&self, process: &Process) -> Result<Option<Courier>> {
        match (process.terminal() == Some(true), self) {
            (false, Self::Engine(_)) => bail!(
                "--console-socket: process.terminal is false, so there is no \
                 terminal to send"
            ),
            (false, Self::Nobody | Self::Foreground) => Ok(None),
            (true, Self::Nobody) => bail!(
                "process.terminal: nobody would hold the terminal\nhint: give \
                 --console-socket, or stay in the foreground"
            ),
            (true, Self::Engine(path)) => {
                let to = UnixStream::connect(path)
                    .in_call(|| format!("connect({path:?})"))
                    .context("--console-socket")?;
                Ok(Some(Courier { to: to.into(), ours: None }))
            }
            (true, Self::Foreground) => {
                let (to, ours) = UnixStream::pair()
                    .in_call(|| "socketpair(AF_UNIX)".into())?;
                Ok(Some(Courier { to: to.into(), ours: Some(ours.into()) }))
            }
        }
    }
}

impl Courier {
    /// Lends the end on which the master is sent.
    pub(crate) fn sender(&self) -> BorrowedFd<'_> {
        self.to.as_fd()
    }

    /// Takes the master that was sent, if it was sent to us.
    pub(crate) fn receive(&self) -> Result<Option<OwnedFd>> {
        let Some(ours) = &self.ours else { return Ok(None) };
        Ok(Some(receive_fd(ours.as_fd())?.0))
    }
}

/// A terminal in the container's own devpts.
#[derive(Debug)]
pub(crate) struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
}

impl Terminal {
    /// Makes one, seen from outside the root, in the size that the
    /// configuration gives.
    ///
    /// # Errors
    /// ENOENT: no devpts is mounted on /dev/pts, or something else is.
    ///
    /// Source: pts(4); TIOCGPTPEER in ioctl_tty(2), "Linux 4.13 (2017-09)"
    // ANCHOR: open
    pub(crate) fn open(root: &Root, process: &Process) -> Result<Self> {
        let ptmx = root.resolve_no_symlinks(Path::new("/dev/pts/ptmx"))?;
        let is_ptmx = status(ptmx.as_fd())?.st_rdev == makedev(5, 2)
            && fstatfs(&ptmx)
                .in_call(|| "fstatfs(\"/dev/pts/ptmx\")".into())?
                .filesystem_type()
                == DEVPTS_SUPER_MAGIC;
        if !is_ptmx {
            bail!("/dev/pts/ptmx: not a devpts file system's");
        }
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = open(&path_of(ptmx.as_fd()), flags, Mode::empty())
            .in_call(|| "open(\"/dev/pts/ptmx\", O_RDWR)".into())?;
        in_call(unlockpt(&master), "ioctl(ptmx, TIOCSPTLCK)")?;
        let flags =
            OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let slave = ioctl_tiocgptpeer(&master, flags);
        let slave = in_call(slave, "ioctl(ptmx, TIOCGPTPEER)")?;
        set_size(&master, process)?;
        Ok(Self { master, slave })
    }
    // ANCHOR_END: open

    /// Puts the terminal on /dev/console too, where programs look for it that
    /// were started without one.
    ///
    /// Source: runtime-spec: config.md, "Process", "terminal"
    pub(crate) fn bind_console(&self, root: &Root) -> Result<()> {
        let source = path_of(self.slave.as_fd());
        Ok(Mount::bind(source, "/dev/console").mount_in(root)?)
    }

    /// Sends the master away; what stays is the program's end.
    pub(crate) fn send(self, socket: BorrowedFd<'_>) -> Result<Slave> {
        send_fd(socket, b"/dev/ptmx", self.master.as_fd())?;
        Ok(Slave(self.slave))
    }
}

/// The program's end.
#[derive(Debug)]
pub(crate) struct Slave(OwnedFd);

impl Slave {
    /// Makes it the standard input, output and error, and the terminal whose
    /// Ctrl-C reaches this session.
    ///
    /// # Errors
    /// EPERM: not the leader of a session.
    ///
    /// Source: TIOCSCTTY in ioctl_tty(2)
    // ANCHOR: control
    pub(crate) fn control(self) -> Result<()> {
        let done = rustix::process::ioctl_tiocsctty(&self.0);
        in_call(done, "ioctl(pts, TIOCSCTTY)")?;
        dup2_stdin(&self.0)
            .and_then(|()| dup2_stdout(&self.0))
            .and_then(|()| dup2_stderr(&self.0))
            .in_call(|| "dup2(pts, ..)".into())?;
        Ok(())
    }
    // ANCHOR_END: control
}

/// Source: runtime-spec: config.md, "Process", "consoleSize"
fn set_size(terminal: &OwnedFd, process: &Process) -> Result<()> {
    let Some(size) = process.console_size() else { return Ok(()) };
    let cells = |count: u64| u16::try_from(count).unwrap_or(u16::MAX);
    let size = Winsize {
        ws_row: cells(size.height()),
        ws_col: cells(size.width()),
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    in_call(tcsetwinsize(terminal, size), "ioctl(ptmx, TIOCSWINSZ)")
}

/// Rustix has errors of its own.
fn in_call<T>(result: rustix::io::Result<T>, call: &str) -> Result<T> {
    Ok(result.map_err(io::Error::from).in_call(|| call.into())?)
}
