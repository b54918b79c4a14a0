//! Turns a directory into the root of a container: devices, links,
//! pivot_root(2), and what must not be written or read. All before the pivot
//! goes by handle ([`Root`]); after it the old root is gone, and with it every
//! way back.

use crate::error::{InCall, Result};
use crate::mounts::{
    Attributes, DetachedMount, Mount, MountAttrFlags, Propagation, Reach,
    make_read_only_below, remount,
};
use crate::namespace::{Namespace, Namespaces};
use crate::root::{self, Node, Root};
use nix::mount::{MntFlags, MsFlags, umount2};
use nix::sys::stat::{Mode, SFlag, makedev};
use nix::sys::statvfs::{FsFlags, fstatvfs};
use nix::unistd::{fchdir, pivot_root};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Makes every mount private: what is mounted here does not appear on the host.
/// **First of all**; a new mount namespace starts with copies that still share.
///
/// # Errors
/// EPERM: not in a mount namespace of our own.
///
/// Source: mount_namespaces(7), "SHARED SUBTREES"
pub fn make_private() -> Result<()> {
    Propagation::Private.set_on_all()
}

/// Binds a directory on itself, because pivot_root(2) wants a mount point, and
/// opens it.
///
/// # Errors
/// ENOENT, ENOTDIR: no such directory. EPERM: not in a mount namespace of our
/// own.
///
/// Source: pivot_root(2), open_tree(2), move_mount(2)
// ANCHOR: bind_root
pub fn bind_root(path: &Path) -> Result<Root> {
    let below = Root::open(path)?;
    let mount = DetachedMount::open_tree(below.as_fd(), Reach::AllBelow)?;
    // The handle of the mount, not the path again: who swaps that meanwhile
    // changes nothing.
    Ok(Root::of_mount(mount.attach(below.as_fd())?, path))
}
// ANCHOR_END: bind_root

/// A device that every program may use.
///
/// Source: runtime-spec: config-linux.md, "Default Devices"
#[derive(Debug)]
pub struct DefaultDevice {
    /// Name in /dev.
    pub name: &'static str,
    /// Major and minor number.
    pub number: (u64, u64),
}

/// The devices of a container.
///
/// Source: runtime-spec: config-linux.md, "Default Devices"; null(4), full(4),
/// random(4), tty(4)
pub const DEFAULT_DEVICES: [DefaultDevice; 6] = [
    DefaultDevice { name: "null", number: (1, 3) },
    DefaultDevice { name: "zero", number: (1, 5) },
    DefaultDevice { name: "full", number: (1, 7) },
    DefaultDevice { name: "random", number: (1, 8) },
    DefaultDevice { name: "urandom", number: (1, 9) },
    DefaultDevice { name: "tty", number: (5, 0) },
];

impl DefaultDevice {
    /// Gives the device to the root: made anew, or bound from the host where a
    /// user namespace forbids making one.
    ///
    /// # Errors
    /// EPERM: no CAP_MKNOD, or the host's mounts are not ours to bind.
    ///
    /// Source: mknod(2), user_namespaces(7)
    pub fn create(&self, root: &Root, namespaces: Namespaces) -> Result<()> {
        if namespaces.contains(Namespace::User) {
            return self.bind().mount_in(root);
        }
        let (major, minor) = self.number;
        let node = Node {
            kind: SFlag::S_IFCHR,
            mode: Mode::from_bits_truncate(0o666),
            device: makedev(major, minor),
        };
        root.mknod(&self.path(), &node)
    }

    /// Prints the call that [`DefaultDevice::create`] makes.
    pub fn call(&self, namespaces: Namespaces) -> String {
        if namespaces.contains(Namespace::User) {
            return self.bind().to_string();
        }
        let ((major, minor), path) = (self.number, self.path());
        format!(
            "mknodat(.., {path:?}, S_IFCHR|0666, makedev({major}, {minor}))"
        )
    }

    fn bind(&self) -> Mount {
        Mount::bind(self.path(), self.path())
    }

    fn path(&self) -> PathBuf {
        Path::new("/dev").join(self.name)
    }
}

/// The links that belong into /dev, as (target, link).
///
/// Source: runtime-spec: runtime-linux.md, "Dev symbolic links"; devpts in
/// config-linux.md, "Default Devices"
pub const DEV_LINKS: [(&str, &str); 5] = [
    ("/proc/self/fd", "/dev/fd"),
    ("/proc/self/fd/0", "/dev/stdin"),
    ("/proc/self/fd/1", "/dev/stdout"),
    ("/proc/self/fd/2", "/dev/stderr"),
    ("pts/ptmx", "/dev/ptmx"),
];

/// Makes the links of [`DEV_LINKS`].
///
/// # Errors
/// Those of [`Root::symlink`].
///
/// Source: symlinkat(2)
pub fn link_dev(root: &Root) -> Result<()> {
    DEV_LINKS.iter().try_for_each(|(target, link)| {
        root.symlink(Path::new(target), Path::new(link))
    })
}

/// What in /proc and /sys tells too much about the host: hidden.
///
/// Source: the default specs of runc and podman; runtime-spec: config-linux.md,
/// "Masked Paths"
pub const MASKED_PATHS: [&str; 10] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
];

/// What in /proc acts on the host when it is written: read-only.
///
/// Source: the default specs of runc and podman; runtime-spec: config-linux.md,
/// "Readonly Paths"
pub const READ_ONLY_PATHS: [&str; 5] =
    ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// Hides a path: an empty read-only tmpfs over a directory, /dev/null over a
/// file. What is not there needs no hiding.
///
/// Runs before the pivot, with the host's /dev/null: that in the root file
/// system may be a link to anything (CVE-2025-31133).
///
/// # Errors
/// EPERM: not in a mount namespace of our own.
///
/// Source: runtime-spec: config-linux.md, "Masked Paths"
pub fn mask(root: &Root, path: &Path) -> Result<()> {
    let Some(point) = root.find(path)? else { return Ok(()) };
    let cover = match root::is_dir(point.as_fd())? {
        true => Mount::new("tmpfs", path)
            .with_flags(MsFlags::MS_RDONLY)
            .with_data("size=0k"),
        false => Mount::bind("/dev/null", path),
    };
    // Over what was found: who exchanges the path meanwhile changes nothing.
    cover.mount_over(point.as_fd())
}

/// Makes a path read-only, with what is mounted on it. What is not there needs
/// no protection.
///
/// # Errors
/// EPERM: not in a mount namespace of our own.
///
/// Source: runtime-spec: config-linux.md, "Readonly Paths"
pub fn make_read_only(root: &Root, path: &Path) -> Result<()> {
    let Some(point) = root.find(path)? else { return Ok(()) };
    // Read-only before it is anywhere, and on what was found: who exchanges the
    // path meanwhile changes nothing (CVE-2021-30465).
    let mount = DetachedMount::open_tree(point.as_fd(), Reach::AllBelow)?;
    make_read_only_below(mount.as_fd())?;
    mount.attach(point.as_fd())?;
    Ok(())
}

/// Makes what is mounted in the root read-only, and not yet the root itself:
/// mount points will have to be made in it. Runs before anything is mounted
/// there that has to stay writable.
///
/// # Errors
/// EINVAL: not a mount point, see [`bind_root`].
///
/// Source: mount_setattr(2), "Linux 5.12 (2021-04)"
pub fn make_read_only_below_root(root: &Root) -> Result<()> {
    let call = || "fstatvfs(ROOT)".into();
    let flags = fstatvfs(root).in_call(call)?.flags();
    let [all_below, top] = READ_ONLY_BELOW;
    all_below.0.apply(root.as_fd(), all_below.1)?;
    match flags.contains(FsFlags::ST_RDONLY) {
        // So it was, and perhaps by somebody whose word counts more.
        true => Ok(()),
        false => top.0.apply(root.as_fd(), top.1),
    }
}

/// Prints the calls of [`make_read_only_below_root`].
pub fn read_only_below_root_calls() -> [String; 2] {
    READ_ONLY_BELOW.map(|(attributes, reach)| attributes.call(reach))
}

const READ_ONLY_BELOW: [(Attributes<'static>, Reach); 2] = [
    (Attributes::set(MountAttrFlags::MOUNT_ATTR_RDONLY), Reach::AllBelow),
    (Attributes::clear(MountAttrFlags::MOUNT_ATTR_RDONLY), Reach::This),
];

/// Makes the root read-only; the file systems mounted in it stay as they are.
/// Runs after everything else was put in place.
///
/// # Errors
/// EINVAL: not a mount point, see [`bind_root`].
///
/// Source: mount(2), "Remounting an existing mount"
pub fn make_root_read_only(root: &Root) -> Result<()> {
    remount(&root::path_of(root.as_fd()), MsFlags::MS_RDONLY)
}

/// Makes `root` the root of this mount namespace and lets go of the old one;
/// then stands in `/`.
///
/// Unlike chroot(2) there is no way back: the old root is not merely out of
/// sight, it is unmounted.
///
/// # Errors
/// EINVAL: the root is no mount point, or mounts are still shared, or we stand
/// in the machine's initial ramfs.
/// EPERM: not in a mount namespace of our own.
///
/// Source: pivot_root(2), "pivot_root(\".\", \".\")"
// ANCHOR: pivot
pub fn pivot(root: Root) -> Result<()> {
    fchdir(&root).in_call(|| format!("fchdir({:?})", root.path()))?;
    // The old root comes to lie on top of the new one, in the same place; so no
    // directory is needed to put it in. We stand in the new one, below it.
    pivot_root(".", ".").in_call(|| r#"pivot_root(".", ".")"#.into())?;
    // "." as a mount point means the topmost one: the old root.
    umount2(".", MntFlags::MNT_DETACH)
        .in_call(|| r#"umount2(".", MNT_DETACH)"#.into())
}
// ANCHOR_END: pivot
