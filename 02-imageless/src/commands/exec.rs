//! `exec`: runs one more program in a container.

use crate::cli::Global;
use crate::config;
use crate::console::Console;
use crate::container::Container;
use crate::exec::{self, Request, Started};
use crate::id::Id;
use crate::kept_fds::KeptFds;
use crate::lifecycle::{Verb, permit};
use crate::own_binary;
use crate::pidfd_socket::PidfdSocket;
use crate::relay::wait;
use crate::{capabilities, user};
use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::signals::Forwarding;
use oci_spec::runtime::Process;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Exec {
    /// The process as JSON, as `process` in config.json; it also says whether
    /// there is a terminal
    #[arg(long, short, value_name = "FILE", conflicts_with_all = PROCESS)]
    process: Option<PathBuf>,
    #[command(flatten)]
    changes: Changes,
    /// Return as soon as the program runs
    #[arg(long, short)]
    detach: bool,
    /// Send the terminal's master to this Unix socket
    #[arg(long, value_name = "SOCKET")]
    console_socket: Option<PathBuf>,
    /// Write the pid of the program to this file
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// Send a pidfd of the program to this Unix socket
    #[arg(long, value_name = "SOCKET")]
    pidfd_socket: Option<PathBuf>,
    /// Pass this many descriptors after stderr on to the program
    #[arg(long, value_name = "N", default_value_t = 0)]
    preserve_fds: u32,
    /// Also in a paused container, where the program waits until it is resumed
    #[arg(long)]
    ignore_paused: bool,
    /// Put it into this cgroup below the container's
    #[arg(long, value_name = "PATH")]
    cgroup: Option<PathBuf>,
    /// The container's id
    #[arg(value_name = "ID")]
    id: String,
    /// The program and its arguments
    #[arg(
        value_name = "COMMAND",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    args: Vec<String>,
}

/// What is changed in the container's own `process` when no file is given.
#[derive(clap::Args)]
struct Changes {
    /// Give it a terminal
    #[arg(long, short)]
    tty: bool,
    /// Where it starts
    #[arg(long, value_name = "DIR")]
    cwd: Option<PathBuf>,
    /// Add a variable to the environment
    #[arg(long, short, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Who it is
    #[arg(long, short, value_name = "UID[:GID]")]
    user: Option<String>,
    /// Add supplementary groups
    #[arg(long, short = 'g', value_name = "GID", value_delimiter = ',')]
    additional_gids: Vec<u32>,
    /// Add a capability: NET_ADMIN, CAP_NET_ADMIN
    #[arg(long, short, value_name = "CAP")]
    cap: Vec<String>,
    /// Let nothing give it more rights
    #[arg(long)]
    no_new_privs: bool,
    /// Set its AppArmor profile
    #[arg(long, value_name = "PROFILE")]
    apparmor: Option<String>,
    /// Set its SELinux label
    #[arg(long, value_name = "LABEL")]
    process_label: Option<String>,
}

const PROCESS: [&str; 4] = ["cwd", "user", "cap", "args"];

impl Exec {
    /// Runs the program, to its end unless detached.
    pub(crate) fn run(self, global: &Global) -> Result<ExitCode> {
        own_binary::protect()?;
        let container =
            Container::open(&global.root()?, &Id::parse(&self.id)?)?;
        let verb =
            if self.ignore_paused { Verb::ExecPaused } else { Verb::Exec };
        permit(verb, container.status())?;
        let detach = self.detach;
        let request = self.request(&container)?;
        if detach {
            exec::exec(&container, request)?;
            return Ok(ExitCode::SUCCESS);
        }
        let forwarding = Forwarding::start()?;
        let Started { child, terminal } = exec::exec(&container, request)?;
        let status = wait(&child, &forwarding, terminal)?;
        Ok(ExitCode::from(u8::try_from(status.code()).unwrap_or(u8::MAX)))
    }

    fn request(self, container: &Container) -> Result<Request> {
        let process = match &self.process {
            Some(file) => {
                let text = fs::read(file)
                    .in_call(|| format!("read({file:?})"))
                    .context("--process")?;
                config::parse_process(&text).context("--process")?
            }
            None => self.changes.apply(container, self.args)?,
        };
        let console = match (self.console_socket, self.detach) {
            (Some(_), false) => {
                bail!("--console-socket: only with --detach")
            }
            (Some(socket), true) => Console::Engine(socket),
            (None, true) => Console::Nobody,
            (None, false) => Console::Foreground,
        };
        let pidfd_socket = self.pidfd_socket.as_deref();
        Ok(Request {
            pidfd_socket: pidfd_socket.map(PidfdSocket::connect).transpose()?,
            process,
            console,
            pid_file: self.pid_file,
            kept_fds: KeptFds::find(self.preserve_fds)?,
            cgroup: self.cgroup,
        })
    }
}

impl Changes {
    /// Takes the container's process as it was configured at `create`.
    ///
    /// Source: the command line of runc, exec
    fn apply(
        self,
        container: &Container,
        args: Vec<String>,
    ) -> Result<Process> {
        if args.is_empty() {
            bail!("COMMAND: missing\nhint: give one, or --process FILE");
        }
        let state = container.state.as_ref();
        let mut process = state
            .and_then(|state| state.process.clone())
            .context("container not running")?;
        process.set_args(Some(args)).set_terminal(Some(self.tty));
        process.set_console_size(None);
        process.env_mut().get_or_insert_default().extend(self.env);
        if let Some(cwd) = self.cwd {
            process.set_cwd(cwd);
        }
        if let Some(text) = &self.user {
            user::change(process.user_mut(), text).context("--user")?;
        }
        let user = process.user_mut();
        let mut gids = user.additional_gids().clone().unwrap_or_default();
        gids.extend(self.additional_gids);
        user.set_additional_gids(Some(gids));
        if !self.cap.is_empty() {
            let own = process.capabilities().clone().unwrap_or_default();
            let more = capabilities::with(own, &self.cap).context("--cap")?;
            process.set_capabilities(Some(more));
        }
        if self.no_new_privs {
            process.set_no_new_privileges(Some(true));
        }
        if self.apparmor.is_some() {
            process.set_apparmor_profile(self.apparmor);
        }
        if self.process_label.is_some() {
            process.set_selinux_label(self.process_label);
        }
        config::check_process(&process)?;
        Ok(process)
    }
}
