//! C4, C5: a detached container writes straight into its launcher's pipe. When
//! the launcher ends, the kernel answers each further write with SIGPIPE and
//! EPIPE: a handler runs, a child process dies; PID 1 without a handler does
//! not get the signal, only the error.
//!
//! `cargo run --example launcher_dies -- BUNDLE [RUNTIME [ARG..]]`
//! with a container that prints a line now and then, and no terminal.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use runc_naive::{Create, Mode, Runtime, default_program};

const ID: &str = "launcher-dies";

fn main() -> Result<()> {
    let mut args = env::args_os().skip(1);
    let bundle =
        args.next().context("usage: launcher_dies BUNDLE [RUNTIME]")?;
    let program = args.next().map_or_else(default_program, PathBuf::from);
    let runtime = Runtime::new(program).args(args);

    let (output, container_end) = std::io::pipe()?;
    let create = Create::new(ID, Path::new(&bundle));
    let status = runtime
        .run_command(&create, Mode::Detached)
        .stdin(Stdio::null())
        .stdout(container_end)
        .status()?;
    ensure!(status.success(), "the runtime failed: {status}");
    let pid = runtime.state(ID)?.pid.context("it has ended already")?;
    println!("container process {pid}");

    for line in BufReader::new(output).lines().take(3) {
        println!("{}", line?);
    }
    println!("the launcher ends, and with it the only reader");
    Ok(())
}
