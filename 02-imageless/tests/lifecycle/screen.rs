//! A person at a terminal, for tests: types, and reads what comes.

use super::driver::{Driver, LIMIT, OURS};
use namespaces::process::receive_fd;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use testkit::eventually;

/// A terminal's master, and what was read from it so far.
pub(crate) struct Screen {
    master: File,
    text: String,
}

impl Screen {
    fn new(master: OwnedFd) -> Self {
        fcntl(&master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect(OURS);
        Self { master: File::from(master), text: String::new() }
    }

    /// Lets `call` send a terminal to a console socket, whose path it is given.
    pub(crate) fn sent_by(driver: &Driver, call: impl FnOnce(&str)) -> Self {
        let path = driver.scratch.path().join("console");
        let listener = UnixListener::bind(&path).expect(OURS);
        call(path.to_str().expect("our paths are text"));
        std::fs::remove_file(&path).expect(OURS);
        let (socket, _) = listener.accept().expect("the runtime has connected");
        let (master, _) = receive_fd(socket.as_fd()).expect("a master came");
        Self::new(master)
    }

    /// Runs a program of this machine on a new terminal.
    pub(crate) fn around(command: &Command) -> (Self, Child) {
        let flags =
            OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("there is a pty left");
        unlockpt(&master).expect("it is ours");
        let slave = || {
            let slave = ioctl_tiocgptpeer(&master, flags);
            Stdio::from(slave.expect("it is unlocked"))
        };
        let mut setsid = Command::new("setsid");
        setsid.arg("-c").arg(command.get_program());
        setsid.args(command.get_args()).stdin(slave()).stdout(slave());
        if let Some(dir) = command.get_current_dir() {
            setsid.current_dir(dir);
        }
        let child = setsid.stderr(slave()).spawn().expect("setsid is there");
        (Self::new(master), child)
    }

    /// Waits until a text was printed.
    pub(crate) fn shows(&mut self, text: &str) {
        let what = format!("the terminal shows {text:?}");
        eventually(LIMIT, &what, || {
            let mut piece = [0; 4096];
            // EAGAIN: nothing yet. EIO: the program has ended.
            let count = self.master.read(&mut piece).unwrap_or(0);
            self.text.push_str(&String::from_utf8_lossy(&piece[..count]));
            self.text.contains(text).then_some(())
        });
    }

    /// Types.
    pub(crate) fn types(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("the program lives");
    }

    /// Changes the window's size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let (ws_row, ws_col) = (rows, columns);
        let size = Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.master, size).expect("it is a terminal");
    }
}
