//! The config.json to start from: that of `runc spec`, and the reason wherever
//! it differs. It is the same text on every machine, so that a bundle can move
//! and a reader can compare.

use namespaces::rootfs::{MASKED_PATHS, READ_ONLY_PATHS};
use oci_spec::runtime::{
    Capabilities, Capability, Linux, LinuxBuilder, LinuxCapabilitiesBuilder,
    LinuxDeviceCgroupBuilder, LinuxIdMappingBuilder, LinuxNamespaceBuilder,
    LinuxNamespaceType as Namespace, LinuxResourcesBuilder, Mount,
    MountBuilder, PosixRlimitBuilder, PosixRlimitType, Process, ProcessBuilder,
    RootBuilder, Spec, SpecBuilder,
};

/// The oldest version that has all that stands here; a runtime may refuse a
/// newer one than its own.
const OCI_VERSION: &str = "1.0.2";

const ENV: [&str; 2] = [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "TERM=xterm",
];

/// Not in the inheritable set, where a program with file capabilities could
/// pick them up (CVE-2022-24769), and so not in the ambient set, which has to
/// be part of it (capabilities(7)). runc lists them as ambient, without effect.
const CAPABILITIES: [Capability; 3] =
    [Capability::AuditWrite, Capability::Kill, Capability::NetBindService];

/// Destination, type, source, options.
type MountLine =
    (&'static str, &'static str, &'static str, &'static [&'static str]);

const MOUNTS: [MountLine; 7] = [
    ("/proc", "proc", "proc", &[]),
    (
        "/dev",
        "tmpfs",
        "tmpfs",
        &["nosuid", "strictatime", "mode=755", "size=65536k"],
    ),
    (
        "/dev/pts",
        "devpts",
        "devpts",
        &[
            "nosuid",
            "noexec",
            "newinstance",
            "ptmxmode=0666",
            "mode=0620",
            "gid=5",
        ],
    ),
    (
        "/dev/shm",
        "tmpfs",
        "shm",
        &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    ),
    ("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
    ("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
    (
        "/sys/fs/cgroup",
        "cgroup",
        "cgroup",
        &["nosuid", "noexec", "nodev", "relatime", "ro"],
    ),
];

/// What takes the place of lines above in a user namespace with one id: group 5
/// (tty) is not mapped there, and a new sysfs belongs to a network namespace of
/// one's own, which a user without privileges could give no network.
const ROOTLESS_MOUNTS: [MountLine; 2] = [
    (
        "/dev/pts",
        "devpts",
        "devpts",
        &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    ),
    ("/sys", "none", "/sys", &["rbind", "nosuid", "noexec", "nodev", "ro"]),
];

/// runc adds the cgroup namespace on machines with cgroup v2 only; here it
/// always hides where the host keeps us.
// ANCHOR: default_namespaces
const NAMESPACES: [Namespace; 6] = [
    Namespace::Pid,
    Namespace::Network,
    Namespace::Ipc,
    Namespace::Uts,
    Namespace::Mount,
    Namespace::Cgroup,
];
// ANCHOR_END: default_namespaces

const ROOTLESS_NAMESPACES: [Namespace; 6] = [
    Namespace::Pid,
    Namespace::Ipc,
    Namespace::Uts,
    Namespace::Mount,
    Namespace::Cgroup,
    Namespace::User,
];

/// Who will run the container.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    /// Root of this machine.
    Root,
    /// A user, who becomes root of a user namespace in which no other id
    /// exists.
    Rootless {
        /// The user's own id.
        uid: u32,
        /// The id of the user's group.
        gid: u32,
    },
}

impl Owner {
    /// The calling user, in a user namespace.
    pub(crate) fn rootless() -> Self {
        Self::Rootless {
            uid: nix::unistd::geteuid().as_raw(),
            gid: nix::unistd::getegid().as_raw(),
        }
    }
}

/// Makes the default configuration: `sh` on a terminal, with a read-only
/// `rootfs` beside config.json.
///
/// Source: runtime-spec: config.md, config-linux.md; runc-spec(8)
pub(crate) fn default_spec(owner: Owner) -> Spec {
    SpecBuilder::default()
        .version(OCI_VERSION)
        .root(
            RootBuilder::default()
                .path("rootfs")
                .readonly(true)
                .build()
                .expect(BUILDS),
        )
        .mounts(mounts(owner))
        .process(process())
        .hostname("imageless")
        .linux(linux(owner))
        .build()
        .map(|mut spec| {
            spec.set_annotations(None);
            spec
        })
        .expect(BUILDS)
}

/// Every builder below has a default for each field.
const BUILDS: &str = "all fields have defaults";

fn process() -> Process {
    let capabilities = Capabilities::from(CAPABILITIES);
    let mut capabilities = LinuxCapabilitiesBuilder::default()
        .bounding(capabilities.clone())
        .effective(capabilities.clone())
        .permitted(capabilities)
        .build()
        .expect(BUILDS);
    capabilities.set_inheritable(None).set_ambient(None);
    let open_files = PosixRlimitBuilder::default()
        .typ(PosixRlimitType::RlimitNofile)
        .hard(1024u64)
        .soft(1024u64);
    ProcessBuilder::default()
        .terminal(true)
        .args(["sh".to_owned()])
        .env(ENV.map(str::to_owned))
        .cwd("/")
        .capabilities(capabilities)
        .rlimits([open_files.build().expect(BUILDS)])
        .no_new_privileges(true)
        .build()
        .expect(BUILDS)
}

fn mounts(owner: Owner) -> Vec<Mount> {
    let replacement = |line: MountLine| match owner {
        Owner::Root => line,
        Owner::Rootless { .. } => ROOTLESS_MOUNTS
            .into_iter()
            .find(|(destination, ..)| *destination == line.0)
            .unwrap_or(line),
    };
    MOUNTS.map(replacement).map(mount).into()
}

fn mount((destination, typ, source, options): MountLine) -> Mount {
    let mount = MountBuilder::default()
        .destination(destination)
        .typ(typ)
        .source(source);
    let options: Vec<_> =
        options.iter().map(|option| (*option).to_owned()).collect();
    let mount = if options.is_empty() { mount } else { mount.options(options) };
    mount.build().expect(BUILDS)
}

fn linux(owner: Owner) -> Linux {
    let mut linux = LinuxBuilder::default()
        .masked_paths(MASKED_PATHS.map(str::to_owned))
        .readonly_paths(READ_ONLY_PATHS.map(str::to_owned))
        .build()
        .expect(BUILDS);
    let namespaces = match owner {
        Owner::Root => {
            let no_devices =
                LinuxDeviceCgroupBuilder::default().allow(false).access("rwm");
            let resources = LinuxResourcesBuilder::default()
                .devices([no_devices.build().expect(BUILDS)]);
            linux.set_resources(Some(resources.build().expect(BUILDS)));
            NAMESPACES
        }
        Owner::Rootless { uid, gid } => {
            let map = |id| {
                LinuxIdMappingBuilder::default()
                    .host_id(id)
                    .container_id(0u32)
                    .size(1u32)
            };
            linux.set_uid_mappings(Some(vec![map(uid).build().expect(BUILDS)]));
            linux.set_gid_mappings(Some(vec![map(gid).build().expect(BUILDS)]));
            linux.set_resources(None);
            ROOTLESS_NAMESPACES
        }
    };
    let new = |kind| {
        LinuxNamespaceBuilder::default().typ(kind).build().expect(BUILDS)
    };
    linux.set_namespaces(Some(namespaces.map(new).into()));
    linux
}
