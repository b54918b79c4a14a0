//! `features`: what this runtime can do, for engines that ask before they write
//! a configuration.

use crate::hooks::Moment;
use crate::{capabilities, mount_options, report};
use anyhow::Result;
use namespaces::namespace::Namespace;
use serde_json::{Value, json};

/// Print what this runtime supports, as JSON
#[derive(clap::Args)]
pub(crate) struct Features {}

impl Features {
    /// Prints it; nothing else, because CRI-O reads standard error too.
    pub(crate) fn run(self) -> Result<()> {
        report::print(&format!("{:#}\n", features()))
    }
}

/// Source: runtime-spec: features.md, features-linux.md
fn features() -> Value {
    let no = json!({"enabled": false});
    json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": "1.2.0",
        "hooks": Moment::ALL.map(Moment::field),
        "mountOptions": mount_options::known().collect::<Vec<_>>(),
        "linux": {
            "namespaces": Namespace::all().map(name).collect::<Vec<_>>(),
            "capabilities": capabilities::names(),
            "cgroup": {
                "v1": true, "v2": true, "systemd": false,
                "systemdUser": false, "rdma": false,
            },
            "seccomp": no, "apparmor": no, "selinux": no,
            "intelRdt": no,
            "mountExtensions": {"idmap": no},
        },
        "potentiallyUnsafeConfigAnnotations": [],
    })
}

/// The runtime-spec's word for it.
fn name(namespace: Namespace) -> &'static str {
    match namespace {
        Namespace::Mount => "mount",
        Namespace::Net => "network",
        Namespace::User
        | Namespace::Pid
        | Namespace::Uts
        | Namespace::Ipc
        | Namespace::Cgroup
        | Namespace::Time => namespace.file(),
    }
}
