//! `features`: what this runtime can do, for engines that ask before they write
//! a configuration.

use crate::hooks::Moment;
use crate::seccomp::architectures;
use crate::{memory_policy, mount_options, report};
use anyhow::Result;
use namespaces::capabilities::Capabilities;
use namespaces::namespace::Namespace;
use serde_json::{Value, json};

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
    let (no, yes) = (json!({"enabled": false}), json!({"enabled": true}));
    let (modes, flags) = memory_policy::words();
    json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": "1.3.0",
        "hooks": Moment::ALL.map(Moment::field),
        "mountOptions": mount_options::known(),
        "linux": {
            "namespaces": Namespace::all().map(name).collect::<Vec<_>>(),
            "capabilities": Capabilities::KNOWN.names(),
            "cgroup": {
                "v1": true, "v2": true, "systemd": true,
                "systemdUser": false, "rdma": true,
            },
            "seccomp": seccomp(),
            "apparmor": yes, "selinux": yes,
            "intelRdt": no,
            "memoryPolicy": {"modes": modes, "flags": flags},
            "mountExtensions": {"idmap": yes},
            "netDevices": yes,
        },
        "potentiallyUnsafeConfigAnnotations": [],
    })
}

/// What is not here, a configuration is refused for.
fn seccomp() -> Value {
    json!({
        "enabled": true,
        "actions": [
            "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",
            "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
            "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE",
            "SCMP_ACT_TRAP",
        ],
        "operators": [
            "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE",
            "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE",
        ],
        "archs": architectures().collect::<Vec<_>>(),
        "knownFlags": FLAGS,
        "supportedFlags": FLAGS,
    })
}

const FLAGS: [&str; 4] = [
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
];

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
