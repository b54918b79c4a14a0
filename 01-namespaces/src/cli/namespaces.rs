//! One option for each kind of namespace: the same letters, from unshare(1) and
//! nsenter(1), whether they are made, joined or kept.

use clap::Args;
use namespaces::namespace::{Namespace, Namespaces};

/// A set of namespaces.
#[derive(Debug, Args)]
#[command(next_help_heading = "Namespaces")]
pub(crate) struct NamespaceOptions {
    /// User ids, and capabilities over what belongs to them
    #[arg(short = 'U', long)]
    user: bool,
    /// Process ids
    #[arg(short, long)]
    pid: bool,
    /// Mounts
    #[arg(short, long)]
    mount: bool,
    /// Host name
    #[arg(short, long)]
    uts: bool,
    /// System V IPC and message queues
    #[arg(short, long)]
    ipc: bool,
    /// Network: devices, addresses, routes, ports
    #[arg(short, long)]
    net: bool,
    /// Where the tree of cgroups begins
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
