//! Runs a command, and says in a file which process it is.
//! Run: `target/debug/examples/pid-file FILE COMMAND..`

use anyhow::{Context, Result, bail};
use namespaces::process::{Gate, SpawnOptions, spawn};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

fn main() -> Result<ExitCode> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let [file, program, args @ ..] = argv.as_slice() else {
        bail!("usage: pid-file FILE COMMAND..");
    };
    let gate = Gate::new()?;
    let child = spawn(&SpawnOptions::default(), || {
        if gate.wait().is_err() {
            return 1;
        }
        eprintln!("{}", Command::new(program).args(args).exec());
        127
    })?;
    write_pid_file(Path::new(file), &child.pid().to_string())?;
    gate.open()?;
    Ok(ExitCode::from(child.wait()?.code() as u8))
}

/// Puts the text into the file. Somebody may read it at any moment.
fn write_pid_file(file: &Path, text: &str) -> Result<()> {
    // EXERCISE 02.5 begin
    // STARTER: Ok(fs::write(file, text)?)
    let name = file.file_name().context("a file has a name")?;
    let new = file.with_file_name(format!(".{}.new", name.display()));
    let mut open = File::create(&new)?;
    open.write_all(text.as_bytes())?;
    // On the disk before its name is.
    open.sync_all()?;
    Ok(fs::rename(new, file)?)
    // EXERCISE 02.5 end
}
