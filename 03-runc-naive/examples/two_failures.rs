//! C13: a program that cannot be run fails in one of two places. If the runtime
//! can see it (no such file), `create` fails and says why on its stderr. If
//! only execve(2) finds out (no program format), create and start both succeed,
//! and the words come later, on the same stderr, which is now the container's.
//!
//! `cargo run --example two_failures -- BUNDLE [RUNTIME [ARG..]]`
//! with a bundle whose program does not exist, or is not a program.

use std::env;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use runc_naive::{Create, Runtime, default_program};

const ID: &str = "two-failures";

fn main() -> Result<()> {
    let mut args = env::args_os().skip(1);
    let bundle = args.next().context("usage: two_failures BUNDLE [RUNTIME]")?;
    let program = args.next().map_or_else(default_program, PathBuf::from);
    let runtime = Runtime::new(program).args(args);

    // A file: we may read it at any time without waiting for the container.
    let name = format!("two-failures-{}", std::process::id());
    let stderr = env::temp_dir().join(name);
    let (mut output, container_end) = std::io::pipe()?;
    let create = Create::new(ID, Path::new(&bundle));
    let mut command = runtime.create_command(&create);
    command.stdin(Stdio::null()).stdout(container_end);
    let status = command.stderr(File::create(&stderr)?).status()?;
    drop(command);
    println!("create: {status}");
    if status.success() {
        let pid = runtime.state(ID)?.pid.context("init has ended")?;
        println!("container process {pid}");
        println!("start: {:?}", runtime.start(ID));
        output.read_to_end(&mut Vec::new())?; // until it has ended
    }
    println!("stderr: {}", runtime.error_message(&fs::read(&stderr)?));
    fs::remove_file(&stderr)?;
    Ok(())
}
