//! C27: `kill` succeeds and nothing happens. The container process is PID 1 of
//! its namespace, and the kernel drops signals that PID 1 has no handler for,
//! unless an ancestor sends SIGKILL or SIGSTOP: pid_namespaces(7).
//!
//! `cargo run --example ignored_term -- BUNDLE [RUNTIME [ARG..]]`
//! with a container such as `echo ready; exec sleep 1000`, and no terminal.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use runc_naive::{Create, Mode, Runtime, default_program};

const ID: &str = "ignored-term";

fn main() -> Result<()> {
    let mut args = env::args_os().skip(1);
    let bundle = args.next().context("usage: ignored_term BUNDLE [RUNTIME]")?;
    let program = args.next().map_or_else(default_program, PathBuf::from);
    let runtime = Runtime::new(program).args(args);

    let create = Create::new(ID, Path::new(&bundle));
    let mut run = runtime.run_command(&create, Mode::Detached);
    let (output, container_end) = std::io::pipe()?;
    let status = run.stdin(Stdio::null()).stdout(container_end).status()?;
    ensure!(status.success(), "the runtime failed: {status}");
    drop(run);

    // ANCHOR: first_word
    // Status "running" is not enough: until execve(2) the process is still the
    // runtime's init, and runc's has handlers. Its first word is the proof.
    let words = BufReader::new(output).read_line(&mut String::new())?;
    ensure!(words > 0, "it ended without a word");

    runtime.kill(ID, Signal::SIGTERM as i32)?;
    // ANCHOR_END: first_word
    let state = runtime.state(ID)?;
    let pid = state.pid.context("it had a handler, and ended")?;
    println!("after SIGTERM: {}, pid {pid}", state.status);
    Ok(())
}
