//! C8: the kernel tells an exit code to the parent, and only once. A detached
//! container's parent was the runtime, which has left; now it is init, or the
//! nearest subreaper. Neither we nor the runtime can ever learn the code.
//!
//! `cargo run --example lost_exit_code -- BUNDLE [RUNTIME [ARG..]]`
//! with a container that ends by itself, and no terminal.

use std::env;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use runc_naive::{Create, Mode, Runtime, default_program};

const ID: &str = "lost-exit-code";

fn main() -> Result<()> {
    let mut args = env::args_os().skip(1);
    let bundle =
        args.next().context("usage: lost_exit_code BUNDLE [RUNTIME]")?;
    let program = args.next().map_or_else(default_program, PathBuf::from);
    let runtime = Runtime::new(program).args(args);

    let pid_file = env::temp_dir().join(format!("{}.pid", std::process::id()));
    let (mut output, container_end) = std::io::pipe()?;
    let create = Create {
        pid_file: Some(&pid_file),
        ..Create::new(ID, Path::new(&bundle))
    };
    let mut run = runtime.run_command(&create, Mode::Detached);
    let status = run.stdin(Stdio::null()).stdout(container_end).status()?;
    ensure!(status.success(), "the runtime failed: {status}");
    let pid: i32 = std::fs::read_to_string(&pid_file)?.parse()?;
    std::fs::remove_file(&pid_file)?;

    // Its output ends when the container process does: that much can be known.
    drop(run);
    output.read_to_end(&mut Vec::new())?;
    match waitpid(Pid::from_raw(pid), None) {
        Ok(status) => println!("waitpid({pid}) = {status:?}"),
        Err(errno) => println!("waitpid({pid}) = {errno}"),
    }
    println!("{:#?}", runtime.state(ID)?);
    Ok(())
}
