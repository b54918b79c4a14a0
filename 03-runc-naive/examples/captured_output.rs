//! C6: asking for a command's output means reading until nobody can write any
//! more. The runtime is gone at once, but the container inherited its pipe, so
//! this call takes as long as the container lives.
//!
//! `cargo run --example captured_output -- BUNDLE [RUNTIME [ARG..]]`
//! with a container that runs for a few seconds, and no terminal.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use runc_naive::{Create, Mode, Runtime, default_program};

fn main() -> Result<()> {
    let mut args = env::args_os().skip(1);
    let bundle =
        args.next().context("usage: captured_output BUNDLE [RUNTIME]")?;
    let program = args.next().map_or_else(default_program, PathBuf::from);
    let runtime = Runtime::new(program).args(args);

    let create = Create::new("captured-output", Path::new(&bundle));
    let begin = Instant::now();
    let output = runtime.run_command(&create, Mode::Detached).output()?;
    let took = begin.elapsed();

    let message = runtime.error_message(&output.stderr);
    ensure!(output.status.success(), "the runtime failed: {message}");
    println!("`run --detach` returned after {took:.1?}, with this output:");
    print!("{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}
