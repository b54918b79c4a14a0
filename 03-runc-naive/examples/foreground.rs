//! C7, C9: the one mode in which the exit code arrives by itself. The runtime
//! stays as the container's parent, copies its output, and ends as it ends,
//! with 128 + n for a signal. The price: a runtime per container, and whoever
//! kills that runtime cuts off the container's stdio.
//!
//! `cargo run --example foreground -- BUNDLE [RUNTIME [ARG..]]`
//! with a container that ends by itself, and no terminal.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use runc_naive::{Create, Mode, Runtime, RuntimeError, default_program};

const ID: &str = "foreground";

fn main() -> Result<()> {
    let mut args = env::args_os().skip(1);
    let bundle = args.next().context("usage: foreground BUNDLE [RUNTIME]")?;
    let program = args.next().map_or_else(default_program, PathBuf::from);
    let runtime = Runtime::new(program).args(args);

    let create = Create::new(ID, Path::new(&bundle));
    let status = runtime.run_command(&create, Mode::Foreground).status()?;
    println!("the runtime's end: {status}");
    match runtime.state(ID) {
        Err(RuntimeError::NotFound { .. }) => println!("it has cleaned up"),
        state => println!("{:#?}", state?),
    }
    Ok(())
}
