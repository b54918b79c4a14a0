//! conman, the client. Its story is in [`manager::cli`].

use std::process::ExitCode;

use clap::Parser;
use manager::cli::Cli;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    Cli::parse().run().await
}
