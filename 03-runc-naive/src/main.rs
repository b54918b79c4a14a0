//! `runc-naive`: the container manager that everybody writes first. It is all
//! there: run, list, stop. It is also wrong in ways that no more code of this
//! kind can cure; each is marked with the number of its pitfall, which
//! `tests/pitfalls.rs` proves, and which the shim of stage 04 takes away.

use std::io::{self, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, Subcommand};
use nix::sys::signal::Signal;
use runc_naive::{
    Create, Force, Mode, Runtime, RuntimeError, Status, default_program,
};

/// How long a container may take to die of SIGKILL: it is gone at once unless
/// it hangs in the kernel.
const DEATH: Duration = Duration::from_secs(5);

/// Runs containers through an OCI runtime, the way everybody tries first.
#[derive(Parser)]
#[command(name = "runc-naive", version)]
struct Cli {
    /// The OCI runtime: a path, or a name on PATH [default: imageless if it is
    /// installed, else runc]
    #[arg(long, value_name = "PROGRAM")]
    runtime: Option<PathBuf>,
    /// Where the runtime keeps its containers' state
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run a bundle, and print until the container closes its output
    Run {
        /// The container's id [default: the name of the bundle's directory]
        #[arg(long, value_name = "ID")]
        name: Option<String>,
        /// The bundle: a directory with config.json
        bundle: PathBuf,
    },
    /// List containers
    Ps,
    /// Stop a container and delete it
    Stop {
        /// Seconds that it has to end by itself, before SIGKILL
        #[arg(long, value_name = "SECONDS", default_value_t = 10)]
        time: u64,
        /// The container's id
        id: String,
    },
}

fn main() -> ExitCode {
    match act(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("runc-naive: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(cli: Cli) -> Result<()> {
    let program = cli.runtime.unwrap_or_else(default_program);
    let mut runtime = Runtime::new(program);
    if let Some(directory) = cli.root {
        runtime = runtime.root(directory);
    }
    match cli.verb {
        Verb::Run { name, bundle } => run(&runtime, name, &bundle),
        Verb::Ps => ps(&runtime),
        Verb::Stop { time, id } => {
            stop(&runtime, &id, Duration::from_secs(time))
                .with_context(|| format!("stop {id}"))
        }
    }
}

fn run(runtime: &Runtime, name: Option<String>, bundle: &Path) -> Result<()> {
    let bundle = bundle
        .canonicalize()
        .with_context(|| format!("run {}", bundle.display()))?;
    let config = bundle.join("config.json");
    ensure!(
        config.is_file(),
        "run: {} is missing\nhint: `imageless spec` or `runc spec` writes one",
        config.display()
    );
    let id = name.unwrap_or_else(|| directory_name(&bundle));
    runtime.version()?; // a runtime that is not there is the commonest mistake
    print_output(runtime, &Create::new(&id, &bundle))
        .with_context(|| format!("run {id}"))?;
    // C8: the exit code is lost. The container was never our child.
    let status = runtime.state(&id)?.status;
    eprintln!("runc-naive: {id} has closed its output; it is {status}");
    Ok(())
}

// ANCHOR: print_output
fn print_output(runtime: &Runtime, create: &Create<'_>) -> Result<()> {
    // C4: we hold the only reader. When this process ends, for whatever reason,
    // the container's next write fails.
    let (mut output, container_end) = io::pipe()?;
    // C13: what the runtime has to say about a failure and what the container
    // says later come on one and the same stderr. C6: were this a pipe that we
    // read to its end, we would wait for the container, not for the runtime.
    let mut command = runtime.run_command(create, Mode::Detached);
    command.stdin(Stdio::null()).stdout(container_end);
    let status = command.status().context("run the runtime")?;
    // The command holds our copy of the writing end: with it open, the output
    // would never end.
    drop(command);
    ensure!(status.success(), "the runtime failed ({status}), see above");

    match io::copy(&mut output, &mut stdout()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        copied => copied.map(drop).context("copy the container's output"),
    }
}
// ANCHOR_END: print_output

fn ps(runtime: &Runtime) -> Result<()> {
    let list = runtime.list()?;
    let mut table = stdout().lock();
    writeln!(table, "{:<24} {:<8} {:>7} BUNDLE", "ID", "STATUS", "PID")?;
    for state in list {
        let pid = state.pid.map_or("-".to_owned(), |pid| pid.to_string());
        let bundle = state.bundle.display();
        let (id, status) = (state.id, state.status);
        // No column for the exit code: no runtime knows it (C8).
        writeln!(table, "{id:<24} {status:<8} {pid:>7} {bundle}")?;
    }
    Ok(())
}

fn stop(runtime: &Runtime, id: &str, grace: Duration) -> Result<()> {
    // C27: PID 1 without a handler does not see SIGTERM at all, so this alone
    // stops nothing that was not written for it.
    if !ends_of(runtime, id, Signal::SIGTERM, grace)?
        && !ends_of(runtime, id, Signal::SIGKILL, DEATH)?
    {
        bail!("SIGKILL was sent {DEATH:?} ago, and it still runs");
    }
    Ok(runtime.delete(id, Force::No)?)
}

// ANCHOR: ends_of
/// Sends a signal and tells whether the container ends within `limit`.
fn ends_of(
    runtime: &Runtime,
    id: &str,
    signal: Signal,
    limit: Duration,
) -> Result<bool> {
    match runtime.kill(id, signal as i32) {
        Err(RuntimeError::NotRunning { .. }) => return Ok(true),
        sent => sent?,
    }
    // C26: it is not our child, so nothing tells us when it ends. To ask again
    // and again is all that is left; stage 04 waits on a pidfd instead.
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if runtime.state(id)?.status == Status::Stopped {
            return Ok(true);
        }
        sleep(Duration::from_millis(50));
    }
    Ok(false)
}
// ANCHOR_END: ends_of

fn directory_name(bundle: &Path) -> String {
    bundle
        .file_name()
        .map_or("root".to_owned(), |name| name.to_string_lossy().into_owned())
}
