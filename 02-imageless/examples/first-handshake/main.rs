//! An OCI runtime of two verbs: create makes everything and runs nothing, start
//! runs it. Run: `sudo target/debug/examples/first-handshake --root /tmp/state
//! create --bundle DIR --pid-file FILE ID`, then `.. --root /tmp/state start ID`

use anyhow::{Context, Result, bail};
use namespaces::namespace::Namespace;
use namespaces::process::{SpawnOptions, spawn};
use namespaces::rootfs::{bind_root, make_private, pivot};
use nix::libc::O_NONBLOCK;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;
use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{PipeWriter, Read, Write, pipe};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

fn main() -> Result<()> {
    let argv: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = argv.iter().map(String::as_str).collect();
    match words[..] {
        [
            "--root",
            state,
            "create",
            "--bundle",
            bundle,
            "--pid-file",
            file,
            id,
        ] => create(
            &Path::new(state).join(id),
            Path::new(bundle),
            Path::new(file),
        ),
        ["--root", state, "start", id] => start(&Path::new(state).join(id)),
        _ => bail!("usage: first-handshake --root DIR create|start .. ID"),
    }
}

/// Makes the container and returns when its init is ready.
fn create(state: &Path, bundle: &Path, pid_file: &Path) -> Result<()> {
    let config = fs::read(bundle.join("config.json"))?;
    let config: Value = serde_json::from_slice(&config)?;
    fs::create_dir_all(state)?;
    let fifo = make_fifo(&state.join("exec.fifo"))?;
    let (mut answer, ready) = pipe()?;
    let namespaces = [Namespace::Pid, Namespace::Mount].into_iter().collect();
    let options = SpawnOptions { namespaces, ..SpawnOptions::default() };
    let mut ready = Some(ready);
    let init = spawn(&options, || {
        let ready = ready.take().expect("this is the child's copy");
        let Err(error) = init(&config, bundle, fifo, ready);
        eprintln!("{error:#}");
        1
    })?;
    drop(ready);
    answer.read_exact(&mut [0]).context("init has said why")?;
    Ok(fs::write(pid_file, init.pid().to_string())?)
}

/// The life of init: becomes the container, waits, becomes the program.
fn init(
    config: &Value,
    bundle: &Path,
    fifo: File,
    mut ready: PipeWriter,
) -> Result<Infallible> {
    let args = config["process"]["args"].as_array().context("no args")?;
    let args: Vec<_> = args.iter().filter_map(Value::as_str).collect();
    let [program, args @ ..] = &args[..] else { bail!("no program") };
    let root = config["root"]["path"].as_str().context("no root")?;
    make_private()?;
    pivot(bind_root(&bundle.join(root))?)?;
    ready.write_all(b"r")?;
    wait_for_start(fifo)?;
    Err(Command::new(program).args(args).env("PATH", "/bin").exec().into())
}

/// Makes what init waits at, and opens it for init.
fn make_fifo(path: &Path) -> Result<File> {
    // EXERCISE 02.4 begin
    // STARTER: // An empty file: who reads it is at its end at once.
    // STARTER: fs::write(path, "")?;
    // STARTER: Ok(File::open(path)?)
    mkfifo(path, Mode::S_IRWXU)?;
    // For writing too: a reader alone would see the end of the file.
    Ok(File::options().read(true).write(true).open(path)?)
    // EXERCISE 02.4 end
}

/// Returns when `start` was called. Runs in init.
fn wait_for_start(mut fifo: File) -> Result<()> {
    // EXERCISE 02.4 begin
    // STARTER: // Nothing waits.
    // STARTER: Ok(())
    Ok(fifo.read_exact(&mut [0])?)
    // EXERCISE 02.4 end
}

/// Lets init go on. Runs in another process, at another time.
fn start(state: &Path) -> Result<()> {
    let fifo = state.join("exec.fifo");
    // EXERCISE 02.4 begin
    // STARTER: Ok(fs::remove_file(fifo)?)
    let mut options = File::options();
    let options = options.write(true).custom_flags(O_NONBLOCK);
    let mut open = options.open(&fifo).context("init has ended")?;
    // Of two at the same time one removes it, and has started the container.
    fs::remove_file(&fifo)?;
    Ok(open.write_all(b"s")?)
    // EXERCISE 02.4 end
}
