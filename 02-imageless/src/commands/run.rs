//! `run`: `create` and `start` in one; in the foreground also wait, pass
//! signals on, delete, and exit as the container did.

use super::create::CreateOptions;
use crate::cli::Global;
use crate::console::Console;
use crate::container::Container;
use crate::create::{self, Created};
use crate::lifecycle;
use crate::own_binary;
use crate::relay::wait;
use crate::removal;
use anyhow::{Result, bail};
use namespaces::signals::Forwarding;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Run {
    #[command(flatten)]
    options: CreateOptions,
    /// Return as soon as the container runs
    #[arg(long, short)]
    detach: bool,
    /// Do not delete the container after it has ended
    #[arg(long)]
    keep: bool,
}

impl Run {
    /// Runs the container, to its end unless detached.
    pub(crate) fn run(self, global: &Global) -> Result<ExitCode> {
        own_binary::protect()?;
        let root = global.root()?;
        if self.detach {
            let request =
                self.options.request(global, self.options.console())?;
            let created = create::create(&root, &request)?;
            start_or_delete(&created.container)?;
            return Ok(ExitCode::SUCCESS);
        }
        if self.options.console_socket.is_some() {
            bail!("--console-socket: only with --detach");
        }
        let request = self.options.request(global, Console::Foreground)?;
        // Before there is a child: a signal that arrives from now on waits
        // until it can be passed on.
        let forwarding = Forwarding::start()?;
        let Created { container, init, terminal } =
            create::create(&root, &request)?;
        start_or_delete(&container)?;
        let status = wait(&init, &forwarding, terminal)?;
        if !self.keep {
            lifecycle::delete(&container)?;
        }
        // 255 is the largest status that exit(2) can give; 128 plus 64 signals
        // stays below.
        Ok(ExitCode::from(u8::try_from(status.code()).unwrap_or(u8::MAX)))
    }
}

fn start_or_delete(container: &Container) -> Result<()> {
    lifecycle::start(container).inspect_err(|_| {
        // The failed start is what has to be told.
        let _ = removal::force_delete(container);
    })
}
