//! Runs a command on a terminal whose other end somebody else holds.
//! Run: `target/debug/examples/console-socket SOCKET COMMAND..`

use anyhow::{Result, bail};
use namespaces::process::{SpawnOptions, send_fd, spawn};
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout, setsid};
use rustix::process::ioctl_tiocsctty;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

fn main() -> Result<ExitCode> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [socket, program, args @ ..] = argv.as_slice() else {
        bail!("usage: console-socket SOCKET COMMAND..");
    };
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    unlockpt(&master)?;
    let slave = ioctl_tiocgptpeer(&master, flags)?;
    send_master(&UnixStream::connect(socket)?, master)?;
    let child = spawn(&SpawnOptions::default(), || {
        if let Err(error) = take_terminal(&slave) {
            eprintln!("{error:#}");
            return 1;
        }
        eprintln!("{}", Command::new(program).args(args).exec());
        127
    })?;
    drop(slave);
    Ok(ExitCode::from(child.wait()?.code() as u8))
}

/// Hands the master over. Ours is closed then.
fn send_master(socket: &UnixStream, master: OwnedFd) -> Result<()> {
    // EXERCISE 02.7 begin
    // STARTER: Ok(())
    Ok(send_fd(socket.as_fd(), b"/dev/ptmx", master.as_fd())?)
    // EXERCISE 02.7 end
}

/// Makes the slave our terminal. Runs in the child, before the command.
fn take_terminal(slave: &OwnedFd) -> Result<()> {
    // EXERCISE 02.7 begin
    // STARTER: Ok(())
    setsid()?;
    ioctl_tiocsctty(slave)?;
    dup2_stdin(slave)?;
    dup2_stdout(slave)?;
    Ok(dup2_stderr(slave)?)
    // EXERCISE 02.7 end
}
