//! The process that stands between a manager and its container, and outlives
//! the manager. The contract between the two is PROTOCOL.md.
//! Its life: `cli`, `detach`, `create`, `serve`, `exit`.
//! Held meanwhile: `pidfile`, `log`, `stdio`, `sync_pipe`.
//! Beneath: `reactor`, `children`, `runtime_stderr`.

mod children;
mod cli;
mod create;
mod detach;
mod exit;
mod log;
mod pidfile;
mod reactor;
mod runtime_stderr;
mod serve;
mod stdio;
mod sync_pipe;

use std::process::ExitCode;

use anyhow::{Context, Result};

use cli::Options;
use detach::ForegroundPipe;
use exit::{ExitFile, Record};
use log::Log;
use pidfile::PidFile;
use reactor::Reactor;
use serve::{Container, Server};
use stdio::{Stdio, WriteEnds};
use sync_pipe::SyncPipe;

/// What the shim holds from before the container exists until after it has
/// ended.
struct Shim {
    pid_file: PidFile,
    exit_file: ExitFile,
    server: Server,
}

fn main() -> ExitCode {
    let arguments = cli::parse().and_then(|options| {
        let sync = SyncPipe::take().map_err(|error| format!("{error:#}"))?;
        Ok((options, sync))
    });
    let (options, sync) = match arguments {
        Ok(arguments) => arguments,
        Err(why) => return complain(&why, 2),
    };
    match detach::detach(|foreground| live(&options, sync, foreground)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => complain(&format!("{why:#}"), 1),
    }
}

fn complain(why: &str, code: u8) -> ExitCode {
    eprintln!("conman-shim: {why}");
    ExitCode::from(code)
}

// ANCHOR: story
/// The shim's life. Whatever happens, the manager gets one answer.
fn live(options: &Options, sync: SyncPipe, foreground: ForegroundPipe) -> i32 {
    let (mut shim, ends) = match take_over(options) {
        Ok(taken) => taken,
        Err(why) => {
            let why = format!("{why:#}");
            foreground.fail(&why);
            return answer(options, sync.failed(&why), 1);
        }
    };
    foreground.release();
    match create::create(options, &mut shim.server, ends) {
        Ok(container) => {
            let code = answer(options, sync.created(container.pid), 0);
            // The answer is lost only with a broken descriptor; the container
            // is there all the same.
            serve_to_the_end(shim, &container).map_or_else(
                |why| report_loss(options, &format!("{why:#}")),
                |()| code,
            )
        }
        Err(why) => {
            let why = match give_up(shim) {
                Ok(()) => format!("{why:#}"),
                Err(left) => format!("{why:#}\nleft behind: {left:#}"),
            };
            answer(options, sync.failed(&why), 1)
        }
    }
}
// ANCHOR_END: story

/// Leaves the process that was started, and takes hold of everything that could
/// be missing later: better to fail now than then.
fn take_over(options: &Options) -> Result<(Shim, WriteEnds)> {
    detach::cut_ties(&options.cid)?;
    let reactor = Reactor::new()?;
    let pid_file = PidFile::lock(&options.shim_pidfile)?;
    let rest = || {
        let exit_file = ExitFile::reserve(&options.exit_file)?;
        let log = Log::open(&options.log_path)?;
        let (stdio, ends) = Stdio::new()?;
        Ok((exit_file, Server::new(reactor, stdio, log), ends))
    };
    match rest() {
        Ok((exit_file, server, ends)) => {
            Ok((Shim { pid_file, exit_file, server }, ends))
        }
        Err(why) => {
            pid_file.remove()?;
            Err(why)
        }
    }
}

/// Leaves nothing of a shim without container, before the manager hears of it.
fn give_up(shim: Shim) -> Result<()> {
    drop(shim.exit_file);
    Ok(shim.pid_file.remove()?)
}

/// Serves the container to its end, and writes down what it was.
fn serve_to_the_end(mut shim: Shim, container: &Container) -> Result<()> {
    let status = shim.server.wait_for_container(container)?;
    let record = Record::new(status);
    // First the log, then the exit file: whoever sees the exit file may read
    // the whole log.
    let synced = shim.server.sync_log().context("the log is not complete");
    shim.exit_file
        .commit(&record)
        .with_context(|| format!("lost: {record:?}"))?;
    synced
}

/// Notes an answer that did not get through.
fn answer(options: &Options, sent: std::io::Result<()>, code: i32) -> i32 {
    sent.map_or_else(
        |error| report_loss(options, &format!("write(sync pipe): {error}")),
        |()| code,
    )
}

/// Says in the kernel's log what would be lost otherwise.
fn report_loss(options: &Options, what: &str) -> i32 {
    exit::write_kmsg(&options.cid, what);
    1
}
