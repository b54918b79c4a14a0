//! One option for each kind of namespace: the same letters, from unshare(1) and
//! nsenter(1), whether they are made, joined or kept.

use clap::Args;
use namespaces::namespace::{Namespace, Namespaces};

/// A set of namespaces.
#[derive(Debug, Args)]
#[command(next_help_heading = "Namespaces")]
pub(crate) struct NamespaceOptions {
    /// User ids: root inside (an ordinary user always gets it)
    #[arg(short = 'U', long)]
    user: bool,
    /// Process ids: the command is PID 1
    #[arg(short, long)]
    pid: bool,
    /// Mounts: what is mounted inside stays inside
    #[arg(short, long)]
    mount: bool,
    /// Host name
    #[arg(short, long)]
    uts: bool,
    /// System V IPC and message queues
    #[arg(short, long)]
    ipc: bool,
    /// Network: a new one has nothing but a loopback device that is down
    #[arg(short, long)]
    net: bool,
    /// Cgroups: its own cgroup looks like the root of the tree
    #[arg(short = 'C', long)]
    cgroup: bool,
    /// Offsets of the clocks that count from boot
    #[arg(short = 'T', long)]
    time: bool,
}

impl NamespaceOptions {
    /// Lists those that were asked for.
    pub(crate) fn namespaces(&self) -> Namespaces {
        let asked = [
            (Namespace::User, self.user),
            (Namespace::Pid, self.pid),
            (Namespace::Mount, self.mount),
            (Namespace::Uts, self.uts),
            (Namespace::Ipc, self.ipc),
            (Namespace::Net, self.net),
            (Namespace::Cgroup, self.cgroup),
            (Namespace::Time, self.time),
        ];
        asked.into_iter().filter(|(_, on)| *on).map(|(ns, _)| ns).collect()
    }
}
