//! Holds the other end of a container's terminal, as a shim would: shows what
//! comes, and types what it reads.
//! Run: `target/debug/examples/terminal SOCKET`, then `imageless create
//! --console-socket SOCKET ..`

use anyhow::{Context, Result};
use namespaces::process::receive_fd;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io::{Read, Write, stdin, stdout};
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;

fn main() -> Result<()> {
    let path = std::env::args().nth(1).context("usage: terminal SOCKET")?;
    let (socket, _) = UnixListener::bind(path)?.accept()?;
    let mut master = File::from(receive_fd(socket.as_fd())?.0);
    let mut piece = [0; 4096];
    loop {
        let [keys, screen] = ready(&master)?;
        if keys {
            let count = stdin().read(&mut piece)?;
            master.write_all(&piece[..count])?;
        }
        if screen {
            // EIO: nobody has the slave any more.
            let Ok(count) = master.read(&mut piece) else { return Ok(()) };
            stdout().write_all(&piece[..count])?;
            stdout().flush()?;
        }
    }
}

/// Waits until somebody types, or something is to be shown.
fn ready(master: &File) -> Result<[bool; 2]> {
    let input = stdin();
    let mut fds = [input.as_fd(), master.as_fd()]
        .map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    poll(&mut fds, PollTimeout::NONE)?;
    Ok(fds.map(|fd| fd.any() == Some(true)))
}
