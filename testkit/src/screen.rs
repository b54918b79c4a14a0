//! A person at a terminal, for tests: types, and reads what comes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::eventually;

/// How long a program may take to answer on a busy machine.
const LIMIT: Duration = Duration::from_secs(20);

/// A terminal's master, and what was read from it so far.
#[derive(Debug)]
pub struct Screen {
    master: File,
    text: String,
}

impl Screen {
    /// Takes a master over.
    ///
    /// # Panics
    /// If it is no open descriptor.
    pub fn new(master: OwnedFd) -> Self {
        fcntl(&master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .expect("it is open");
        Self { master: File::from(master), text: String::new() }
    }

    /// Runs a program of this machine on a new terminal, which it controls.
    ///
    /// # Panics
    /// If there is no pty left, or no setsid(1).
    pub fn around(command: &Command) -> (Self, Child) {
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
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => setsid.env(name, value),
                None => setsid.env_remove(name),
            };
        }
        let child = setsid.stderr(slave()).spawn().expect("setsid is there");
        (Self::new(master), child)
    }

    /// Waits until a text was printed.
    ///
    /// # Panics
    /// If it is not after 20 s.
    pub fn shows(&mut self, text: &str) {
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
    ///
    /// # Panics
    /// If nobody has the terminal open any more.
    pub fn types(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("the program lives");
    }

    /// Changes the window's size.
    ///
    /// # Panics
    /// If the master is no terminal's.
    pub fn resize(&self, rows: u16, columns: u16) {
        let (ws_row, ws_col) = (rows, columns);
        let size = Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.master, size).expect("it is a terminal");
    }
}
