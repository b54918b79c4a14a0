//! conmand, the daemon. Its story is in [`manager::daemon`].

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use manager::daemon::{Options, run};
use tracing_subscriber::EnvFilter;

/// How long requests in flight may take after a signal; what they leave half
/// made, the next start undoes.
const LAST_WORDS: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let options = Options::parse();
    let level = EnvFilter::try_from_env("CONMAND_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();

    let runtime = tokio::runtime::Runtime::new()
        .expect("a process can have threads and an epoll");
    let ended = runtime.block_on(run(options));
    runtime.shutdown_timeout(LAST_WORDS);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("conmand: {error:#}");
            ExitCode::FAILURE
        }
    }
}
