//! conmand's life: options, one daemon for each directory, what the last one
//! left, the socket, and requests until a signal comes. Containers do not
//! notice its end.

use std::fs::{File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use clap::Parser;
use nix::fcntl::{Flock, FlockArg};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::wrappers::UnixListenerStream;

use crate::error::{failed, strace};
use crate::manager::Manager;
use crate::paths::{Paths, make_dir};
use crate::runtimes::{Runtimes, look_up, look_up_path};
use crate::server;

/// What sun_path holds, with its closing NUL.
///
/// Source: unix(7)
const SUN_PATH: usize = 108;

/// The container manager: serves CRI v1 on a Unix socket.
///
/// CONMAND_LOG in the environment says how much is told on stderr: error,
/// warn, info (so without it), debug or trace.
#[derive(Debug, Parser)]
#[command(name = "conmand", version)]
pub struct Options {
    /// What outlives a reboot: records, bundles, logs, exit codes.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/conman")]
    root: PathBuf,
    /// What does not: pid files, pinned namespaces, the runtimes' state.
    #[arg(long, value_name = "DIR", default_value = "/run/conman")]
    state: PathBuf,
    /// The socket to listen on.
    #[arg(
        long,
        value_name = "PATH",
        default_value = "/run/conman/conman.sock"
    )]
    socket: PathBuf,
    /// The shim; without it, conman-shim beside conmand or on PATH.
    #[arg(long, value_name = "PATH")]
    shim: Option<PathBuf>,
    /// A runtime handler; imageless, runc and crun are known where they are
    /// found (may be repeated).
    #[arg(long, value_name = "NAME=PATH", value_parser = named_runtime)]
    runtime: Vec<(String, PathBuf)>,
    /// The handler of pods that name none.
    #[arg(long, value_name = "NAME")]
    default_runtime: Option<String>,
}

/// Runs conmand until SIGTERM or SIGINT.
///
/// # Errors
/// Another conmand has the directory or the socket; no shim; as mkdir(2),
/// bind(2).
pub async fn run(options: Options) -> anyhow::Result<()> {
    // A handler in the place of an inherited SIG_IGN, with which the kernel
    // would reap our children before we can ask how they ended.
    let _children =
        signal(SignalKind::child()).context("sigaction(SIGCHLD)")?;
    let shim = find_shim(options.shim.as_deref())?;
    let runtimes =
        Runtimes::find(&options.runtime, options.default_runtime.as_deref())?;
    let paths = Paths {
        root: absolute(&options.root)?,
        state: absolute(&options.state)?,
    };
    let socket = absolute(&options.socket)?;

    let manager = Manager::open(paths, runtimes, shim)?;
    let _lock = lock(&manager.paths.root)?;
    let listener = listen(&socket).await?;
    manager.restore().await?;
    tracing::info!(
        "conmand {} serves {}",
        env!("CARGO_PKG_VERSION"),
        socket.display()
    );

    let connections = UnixListenerStream::new(listener);
    tokio::select! {
        served = server::serve(Arc::clone(&manager), connections) => served?,
        signal = asked_to_end() => {
            tracing::info!("{}: containers go on", signal?);
        }
    }
    // Err: somebody removed it before us.
    let _ = std::fs::remove_file(&socket);
    Ok(())
}

/// Takes the directory for this daemon; the kernel gives it back when we end,
/// however we end.
fn lock(root: &Path) -> anyhow::Result<Flock<File>> {
    let file = root.join("conmand.lock");
    let open =
        File::create(&file).map_err(failed(format!("open({file:?})")))?;
    Flock::lock(open, FlockArg::LockExclusiveNonblock)
        .map_err(|_| anyhow!("another conmand serves {}", root.display()))
}

/// Binds the socket, mode 0600. One that nobody serves any more is replaced.
async fn listen(socket: &Path) -> anyhow::Result<UnixListener> {
    let length = socket.as_os_str().len();
    if length >= SUN_PATH {
        bail!(
            "bind({socket:?}): the path has {length} bytes, \
             a socket's may have {}",
            SUN_PATH - 1
        );
    }
    if let Some(dir) = socket.parent() {
        make_dir(dir)?;
    }
    match UnixStream::connect(socket).await {
        Ok(_) => bail!("another conmand serves {}", socket.display()),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            remove_stale(socket)?
        }
        Err(_) => {} // mostly ENOENT; what else is wrong, bind(2) will tell
    }
    let listener = UnixListener::bind(socket).map_err(|error| {
        anyhow!(strace(&format!("bind({socket:?})"), &error))
    })?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o600))
        .map_err(failed(format!("chmod({socket:?}, 0600)")))?;
    Ok(listener)
}

/// ECONNREFUSED is also what connect(2) says of a regular file, and that would
/// not be ours to remove.
fn remove_stale(socket: &Path) -> anyhow::Result<()> {
    let call = format!("unlink({socket:?})");
    let meta =
        std::fs::symlink_metadata(socket).map_err(failed(call.as_str()))?;
    if !meta.file_type().is_socket() {
        bail!("bind({socket:?}): something else is there, and it is no socket");
    }
    Ok(std::fs::remove_file(socket).map_err(failed(call))?)
}

async fn asked_to_end() -> anyhow::Result<&'static str> {
    let mut term =
        signal(SignalKind::terminate()).context("sigaction(SIGTERM)")?;
    let mut int =
        signal(SignalKind::interrupt()).context("sigaction(SIGINT)")?;
    tokio::select! {
        _ = term.recv() => Ok("SIGTERM"),
        _ = int.recv() => Ok("SIGINT"),
    }
}

fn find_shim(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let Some(path) = named else {
        return look_up("conman-shim").context(
            "no conman-shim beside conmand or on PATH\n\
             hint: cargo build -p shim, or --shim PATH",
        );
    };
    look_up_path(path)
        .with_context(|| format!("--shim {}: no such program", path.display()))
}

/// The shim and the runtime get these paths, and they run in other directories.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("realpath({path:?})"))
}

fn named_runtime(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path))
            if !name.is_empty() && !path.is_empty() && !name.contains('/') =>
        {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err("expected NAME=PATH".to_owned()),
    }
}
