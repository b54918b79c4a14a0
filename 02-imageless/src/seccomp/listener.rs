//! `SCMP_ACT_NOTIFY`: a call waits while another program, the agent, decides what
//! becomes of it. The agent gets the descriptor to do so over its Unix socket,
//! from the process itself: only there the kernel has it.

use crate::container::Status;
use crate::hooks::Told;
use crate::state::State;
use anyhow::{Context, Result, bail};
use namespaces::InCall;
use namespaces::process::send_fd;
use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompAction};
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// Where the agent listens; kept with the container, for `exec`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listener {
    path: PathBuf,
    metadata: String,
}

impl Listener {
    /// Translates it. `None`: nothing in this filter asks.
    ///
    /// # Errors
    /// Names the field: nobody to ask; metadata for nobody; or a question that
    /// would have to be answered before the agent has been told of us.
    ///
    /// Source: runtime-spec: config-linux.md, "Seccomp"
    pub(crate) fn plan(config: &LinuxSeccomp) -> Result<Option<Self>> {
        let path = config.listener_path().clone().unwrap_or_default();
        let metadata = config.listener_metadata().clone().unwrap_or_default();
        let is_set = !path.as_os_str().is_empty();
        if !metadata.is_empty() && !is_set {
            bail!("listenerMetadata: without a listenerPath nobody gets it");
        }
        let rules = config.syscalls().iter().flatten().enumerate();
        let mut asking = rules
            .filter(|(_, rule)| {
                rule.action() == LinuxSeccompAction::ScmpActNotify
            })
            .peekable();
        if asking.peek().is_none() {
            return Ok(None);
        }
        if !is_set {
            bail!("listenerPath: missing: SCMP_ACT_NOTIFY has nobody to ask");
        }
        for (i, rule) in asking {
            if rule.names().iter().any(|name| name == "sendmsg") {
                bail!(
                    "syscalls[{i}]: SCMP_ACT_NOTIFY for sendmsg: that is the \
                     call which tells the agent of the container"
                );
            }
        }
        Ok(Some(Self { path, metadata }))
    }

    /// Connects to the agent. Runs in the runtime, to which the path means
    /// something, and before anything is made that would have to be undone.
    ///
    /// # Errors
    /// ENOENT, ECONNREFUSED: nobody listens on the socket.
    ///
    /// Source: unix(7)
    pub(crate) fn connect(&self) -> Result<Agent> {
        let Self { path, metadata } = self;
        let socket = UnixStream::connect(path)
            .in_call(|| format!("connect({path:?})"))
            .context("config.json: linux.seccomp.listenerPath")?;
        Ok(Agent { socket, metadata: metadata.clone() })
    }
}

/// The agent's end is there.
#[derive(Debug)]
pub(crate) struct Agent {
    socket: UnixStream,
    metadata: String,
}

/// An agent, and what it will be told.
#[derive(Debug)]
pub(crate) struct Introduction {
    socket: UnixStream,
    text: Vec<u8>,
}

/// Source: runtime-spec: config-linux.md, "The Container Process State"
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContainerProcessState<'a> {
    oci_version: &'a str,
    fds: [&'static str; 1],
    pid: i32,
    #[serde(skip_serializing_if = "str::is_empty")]
    metadata: &'a str,
    state: Told<'a>,
}

impl Agent {
    /// Writes down who we are. Runs in the process while the host's /proc is in
    /// sight: it knows the pid by which the host calls us.
    ///
    /// # Errors
    /// ENOENT: /proc is not mounted.
    pub(crate) fn introduce(
        self,
        state: &State,
        status: Status,
    ) -> Result<Introduction> {
        let pid = fs::read_link("/proc/self")
            .in_call(|| "readlink(\"/proc/self\")".into())?;
        let pid = pid.to_str().and_then(|pid| pid.parse().ok());
        let pid = pid.context("/proc/self: not a pid")?;
        let init = state.init.map_or(pid, |init| init.pid);
        let text = serde_json::to_vec(&ContainerProcessState {
            oci_version: &state.oci_version,
            fds: ["seccompFd"],
            pid,
            metadata: &self.metadata,
            state: Told::of(state, status, Some(init)),
        })?;
        Ok(Introduction { socket: self.socket, text })
    }
}

impl Introduction {
    /// Gives the agent what it needs to answer, and hangs up: one connection for
    /// each process. From here on our own calls may wait for it too.
    ///
    /// # Errors
    /// EPIPE: the agent has hung up.
    pub(crate) fn send(self, listener: &OwnedFd) -> Result<()> {
        send_fd(self.socket.as_fd(), &self.text, listener.as_fd())
            .context("config.json: linux.seccomp.listenerPath")
    }
}
