//! `create`: everything is set up, and init waits for `start`.

use crate::cli::Global;
use crate::console::Console;
use crate::create::{self, Request};
use crate::every_process::Keyring;
use crate::id::Id;
use crate::kept_fds::KeptFds;
use crate::own_binary;
use crate::pidfd_socket::PidfdSocket;
use anyhow::{Result, bail};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) options: CreateOptions,
}

/// Options that `create` and `run` share.
#[derive(clap::Args)]
pub(crate) struct CreateOptions {
    /// The OCI bundle: a directory with config.json and a root filesystem
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    bundle: PathBuf,
    /// Write the pid of the container's process to this file
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// Send a pidfd of the container's process to this Unix socket
    #[arg(long, value_name = "SOCKET")]
    pidfd_socket: Option<PathBuf>,
    /// Send the terminal's master to this Unix socket
    #[arg(long, value_name = "SOCKET")]
    pub(super) console_socket: Option<PathBuf>,
    /// Do without pivot_root(2) (not supported: it would leave a way out)
    #[arg(long)]
    no_pivot: bool,
    /// Let the container keep the caller's session keyring, and the keys in it
    #[arg(long)]
    no_new_keyring: bool,
    /// Pass this many descriptors after stderr on to the container
    #[arg(long, value_name = "N", default_value_t = 0)]
    preserve_fds: u32,
    /// The container's id, unique below --root
    #[arg(value_name = "ID")]
    id: String,
}

impl Create {
    /// Creates the container and leaves it to whoever adopts its init.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        own_binary::protect()?;
        let console = self.options.console();
        let request = self.options.request(global, console)?;
        create::create(&global.root()?, &request)?;
        Ok(())
    }
}

impl CreateOptions {
    /// Checks the options.
    ///
    /// # Errors
    /// Names the option that cannot be honoured.
    pub(crate) fn request(
        &self,
        global: &Global,
        console: Console,
    ) -> Result<Request> {
        if self.no_pivot {
            bail!(
                "--no-pivot: not supported: without pivot_root(2) the host's \
                 root stays mounted in the container"
            );
        }
        let pidfd_socket = self.pidfd_socket.as_deref();
        Ok(Request {
            pidfd_socket: pidfd_socket.map(PidfdSocket::connect).transpose()?,
            id: Id::parse(&self.id)?,
            bundle: self.bundle.clone(),
            cgroup_manager: global.cgroup_manager(),
            pid_file: self.pid_file.clone(),
            console,
            kept_fds: KeptFds::find(self.preserve_fds)?,
            keyring: match self.no_new_keyring {
                true => Keyring::Callers,
                false => Keyring::New,
            },
        })
    }

    /// Who holds the terminal when we do not stay.
    pub(crate) fn console(&self) -> Console {
        self.console_socket.clone().map_or(Console::Nobody, Console::Engine)
    }
}
