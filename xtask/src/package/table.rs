//! The table of system packages: what each brings, why, and for whom.

use super::{Need, Package};

/// Everyone.
pub(super) const ALL: &[Need] = &[
    Need::Demo,
    Need::Bench,
    Need::Ship,
    Need::Vm,
    Need::Stage(1),
    Need::Stage(2),
    Need::Stage(3),
    Need::Stage(4),
    Need::Stage(5),
];
const TESTS: &[Need] = &[
    Need::Stage(1),
    Need::Stage(2),
    Need::Stage(3),
    Need::Stage(4),
    Need::Stage(5),
];
const RUNTIMES: &[Need] = &[
    Need::Bench,
    Need::Stage(2),
    Need::Stage(3),
    Need::Stage(4),
    Need::Stage(5),
];

/// Everything that comes from the distribution. Rust itself comes from
/// rustup.rs.
pub(crate) const PACKAGES: &[Package] = &[
    Package {
        name: "gcc",
        provides: "cc",
        why: "links Rust programs",
        needed_by: ALL,
    },
    Package {
        name: "libc6-dev",
        provides: "/usr/lib/*/libc.a",
        why: "links the static programs that are put into containers",
        needed_by: ALL,
    },
    Package {
        name: "runc",
        provides: "runc",
        why: "the reference runtime: suites pass on it before they judge ours",
        needed_by: &[
            Need::Bench,
            Need::Ship,
            Need::Stage(2),
            Need::Stage(3),
            Need::Stage(4),
            Need::Stage(5),
        ],
    },
    Package {
        name: "crun",
        provides: "crun",
        why: "the second runtime: where it differs from runc, both are right",
        needed_by: RUNTIMES,
    },
    Package {
        name: "libcap2-bin",
        provides: "setcap",
        why: "marks a file with capabilities, in the book",
        needed_by: &[Need::Stage(2)],
    },
    Package {
        name: "conmon",
        provides: "conmon",
        why: "the reference shim: suites pass on it before they judge ours",
        needed_by: &[Need::Stage(2), Need::Stage(4)],
    },
    Package {
        name: "podman",
        provides: "podman",
        why: "a real engine, which runs our runtime in its tests",
        needed_by: &[Need::Stage(2)],
    },
    Package {
        name: "catatonit",
        provides: "catatonit",
        why: "the init that podman puts into a container on demand",
        needed_by: &[Need::Stage(2)],
    },
    Package {
        name: "containerd",
        provides: "containerd",
        why: "the other engine, with its shim and ctr",
        needed_by: &[Need::Stage(2)],
    },
    Package {
        name: "busybox-static",
        provides: "/bin/busybox",
        why: "a root file system of one file, with a shell",
        needed_by: &[
            Need::Vm,
            Need::Stage(1),
            Need::Stage(2),
            Need::Stage(3),
            Need::Stage(4),
            Need::Stage(5),
        ],
    },
    Package {
        name: "systemd",
        provides: "/lib/systemd/systemd",
        why: "makes cgroups for --systemd-cgroup, as process 1 of a box",
        needed_by: &[Need::Stage(2), Need::Vm],
    },
    Package {
        name: "dbus",
        provides: "/usr/share/dbus-1/system.conf",
        why: "carries what the runtime asks of systemd",
        needed_by: &[Need::Stage(2), Need::Vm],
    },
    Package {
        name: "procps",
        provides: "ps",
        why: "shows processes, in the book",
        needed_by: TESTS,
    },
    Package {
        name: "iproute2",
        provides: "ip",
        why: "shows network devices, in the book and the tests",
        needed_by: TESTS,
    },
    Package {
        name: "uidmap",
        provides: "newuidmap",
        why: "writes id maps of many ids for an ordinary user",
        needed_by: &[Need::Stage(1), Need::Vm],
    },
    Package {
        name: "strace",
        provides: "strace",
        why: "kills the runtime at each of its system calls, in its tests",
        needed_by: &[Need::Stage(2)],
    },
    Package {
        name: "qemu-system-x86",
        provides: "qemu-system-x86_64",
        why: "boots the machine with pure cgroup v2",
        needed_by: &[Need::Vm],
    },
    Package {
        name: "golang-go",
        provides: "go",
        why: "builds the OCI's validation programs",
        needed_by: &[Need::Conformance],
    },
    Package {
        name: "time",
        provides: "/usr/bin/time",
        why: "measures peak memory",
        needed_by: &[Need::Bench],
    },
];
