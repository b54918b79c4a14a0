//! What a container costs, whoever makes it: the namespaces, cgroups, mounts and
//! devices of runc's default config.json, by heart. It reads no configuration,
//! keeps no state and knows no verbs; what it takes, no runtime saves.
//! `cargo xtask bench runtime` measures it between the floor and the runtimes.
//!
//! `bare ROOTFS PROGRAM`, as root

use anyhow::{Result, bail};
use namespaces::capabilities::{Capabilities, capset, limit_bounding};
use namespaces::cgroup::{Cgroup, DeviceKind, DeviceRule, Entrance, Version};
use namespaces::cgroup::{MKNOD, READ, WRITE};
use namespaces::mounts::{DetachedMount, Mount, Reach};
use namespaces::mounts::{default_mounts, make_read_only_below};
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::process::{self, SpawnOptions};
use namespaces::root::Root;
use namespaces::rootfs;
use nix::fcntl::{AtFlags, OFlag, open};
use nix::sys::stat::Mode;
use nix::sys::statvfs::{FsFlags, fstatvfs};
use nix::unistd::{execveat, setsid};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::ExitCode;

/// Those of runc's default configuration. The cgroup namespace comes after the
/// cgroup.
const NAMESPACES: [Namespace; 5] = [
    Namespace::Mount,
    Namespace::Uts,
    Namespace::Ipc,
    Namespace::Net,
    Namespace::Pid,
];

/// CAP_KILL, CAP_NET_BIND_SERVICE and CAP_AUDIT_WRITE.
const CAPABILITIES: Capabilities = Capabilities(1 << 5 | 1 << 10 | 1 << 29);

/// The devices that may be opened: null, zero, full, random, urandom, tty,
/// ptmx, and every terminal.
const DEVICES: [(u32, Option<u32>); 8] = [
    (1, Some(3)),
    (1, Some(5)),
    (1, Some(7)),
    (1, Some(8)),
    (1, Some(9)),
    (5, Some(0)),
    (5, Some(2)),
    (136, None),
];

fn main() -> Result<ExitCode> {
    let args = std::env::args_os().map(|arg| CString::new(arg.into_vec()));
    let args = args.collect::<Result<Vec<_>, _>>()?;
    protect(&args)?;
    let [_, rootfs, program] = &args[..] else {
        bail!("usage: bare ROOTFS PROGRAM")
    };
    let rootfs = Path::new(OsStr::from_bytes(rootfs.as_bytes()));
    let mut cgroup = Cgroup::with_systemds(Path::new("/bare"))?.make()?;
    cgroup.set_devices(&device_rules())?;
    let entrance = cgroup.entrance()?;
    let namespaces = Namespaces::from_iter(NAMESPACES);
    let options = SpawnOptions { namespaces, cgroup: entrance.born_in() };
    let init = process::spawn(&options, || {
        match become_container(rootfs, &cgroup, &entrance) {
            Ok(()) => {
                let env: [CString; 0] = [];
                let argv = [program.clone()];
                eprintln!("bare: {}", process::exec(program, &argv, &env));
            }
            Err(error) => eprintln!("bare: {error:#}"),
        }
        1
    })?;
    let status = init.wait()?;
    cgroup.remove()?;
    Ok(ExitCode::from(u8::try_from(status.code()).unwrap_or(u8::MAX)))
}

/// Executes us again from a mount through which nobody can write
/// (CVE-2019-5736).
fn protect(args: &[CString]) -> Result<()> {
    let exe = open("/proc/self/exe", OFlag::O_CLOEXEC, Mode::empty())?;
    if !fstatvfs(&exe)?.flags().contains(FsFlags::ST_RDONLY) {
        let copy = DetachedMount::open_tree(exe.as_fd(), Reach::This)?;
        make_read_only_below(copy.as_fd())?;
        let (copy, env) = (OwnedFd::from(copy), <[CString; 0]>::default());
        execveat(&copy, c"", args, &env, AtFlags::AT_EMPTY_PATH)?;
    }
    Ok(())
}

/// Deny all, then allow to make any, and to open those.
fn device_rules() -> Vec<DeviceRule> {
    let rule = |allow, kind, (major, minor), access| DeviceRule {
        allow,
        kind,
        major,
        minor,
        access,
    };
    let any = (None, None);
    let all = READ | WRITE | MKNOD;
    let mut rules = vec![rule(false, None, any, all)];
    for kind in [DeviceKind::Char, DeviceKind::Block] {
        rules.push(rule(true, Some(kind), any, MKNOD));
    }
    let open = DEVICES.map(|(major, minor)| {
        rule(true, Some(DeviceKind::Char), (Some(major), minor), all)
    });
    rules.extend(open);
    rules
}

fn become_container(
    rootfs: &Path,
    cgroup: &Cgroup,
    entrance: &Entrance,
) -> Result<()> {
    // ANCHOR: by_heart
    setsid()?;
    rootfs::make_private()?;
    let root = rootfs::bind_root(rootfs)?;
    let new = Namespaces::from_iter(NAMESPACES);
    for mount in default_mounts(new) {
        mount.mount_in(&root)?;
    }
    show_cgroup(&root, cgroup)?;
    for device in rootfs::DEFAULT_DEVICES {
        device.create(&root, new)?;
    }
    rootfs::link_dev(&root)?;
    for path in rootfs::READ_ONLY_PATHS {
        rootfs::make_read_only(&root, Path::new(path))?;
    }
    for path in rootfs::MASKED_PATHS {
        rootfs::mask(&root, Path::new(path))?;
    }
    rootfs::make_root_read_only(&root)?;
    entrance.enter()?;
    unshare(Namespaces::from_iter([Namespace::Cgroup]))?;
    rootfs::pivot(root)?;
    process::close_on_exec_from(3)?;
    limit_bounding(CAPABILITIES)?;
    capset(CAPABILITIES, CAPABILITIES, Capabilities::default())?;
    process::reset_signals()?;
    // ANCHOR_END: by_heart
    Ok(())
}

/// On v2 the container's cgroup; on v1 a directory for each tree, with the
/// container's cgroup in it.
fn show_cgroup(root: &Root, cgroup: &Cgroup) -> Result<()> {
    let top = Path::new("/sys/fs/cgroup");
    let has_trees = cgroup.version() == Version::V1;
    if has_trees {
        let tmpfs = Mount::new("tmpfs", top);
        tmpfs.with_data("mode=755,size=64k").mount_in(root)?;
    }
    for dir in cgroup.paths() {
        let tree = dir.parent().and_then(Path::file_name).filter(|_| has_trees);
        let mount = DetachedMount::bind(dir, Reach::AllBelow)?;
        make_read_only_below(mount.as_fd())?;
        mount.attach_in(root, &top.join(tree.unwrap_or_default()))?;
    }
    Ok(())
}
