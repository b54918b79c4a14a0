//! `conman`, a client of CRI and of nothing else: one file for each verb.
//! Whatever it does, crictl could do too.

mod client;
mod follow;
mod inspect;
mod log;
mod logs;
mod ps;
mod request;
mod rm;
mod run;
mod stop;
mod version;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use self::client::Client;

/// Runs containers: a client of conmand.
#[derive(Debug, Parser)]
#[command(name = "conman", version)]
pub struct Cli {
    /// Where conmand listens.
    #[arg(
        long,
        env = "CONMAN_SOCKET",
        value_name = "PATH",
        default_value = "/run/conman/conman.sock"
    )]
    socket: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a pod with one container, and start it.
    Run(run::Args),
    /// List containers.
    Ps(ps::Args),
    /// Print what a container wrote.
    Logs(logs::Args),
    /// Stop containers.
    Stop(stop::Args),
    /// Remove containers, with the pods that `run` made for them.
    Rm(rm::Args),
    /// Print all that is known of a container, as JSON.
    Inspect(inspect::Args),
    /// Print the versions of both sides.
    Version,
}

/// What `run` exits with if conman failed, not the container: Docker's number.
const CONMAN_FAILED: u8 = 125;

impl Cli {
    /// Does what the command line says, and prints an error once.
    pub async fn run(self) -> ExitCode {
        let is_run = matches!(self.verb, Verb::Run(_));
        let failed = ExitCode::from(if is_run { CONMAN_FAILED } else { 1 });
        match act(self.verb, &self.socket).await {
            Ok(code) => ExitCode::from(code),
            // The reader of our pipe has seen enough.
            Err(error) if is_broken_pipe(&error) => failed,
            Err(error) => {
                eprintln!("conman: {error:#}");
                failed
            }
        }
    }
}

async fn act(verb: Verb, socket: &Path) -> anyhow::Result<u8> {
    let client = Client::connect(socket).await?;
    match verb {
        Verb::Run(args) => return run::run(client, args).await,
        Verb::Ps(args) => ps::ps(client, args).await?,
        Verb::Logs(args) => logs::logs(client, args).await?,
        Verb::Stop(args) => stop::stop(client, args).await?,
        Verb::Rm(args) => rm::rm(client, args).await?,
        Verb::Inspect(args) => inspect::inspect(client, args).await?,
        Verb::Version => version::version(client).await?,
    }
    Ok(0)
}

/// Prints to stdout; unlike `println!`, a closed pipe is an error and no panic.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .context("write(stdout)")
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let causes = error.chain().filter_map(|c| c.downcast_ref());
    causes.map(std::io::Error::kind).any(|kind| kind == ErrorKind::BrokenPipe)
}
