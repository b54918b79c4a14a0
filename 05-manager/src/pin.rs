//! Namespaces without a process: a bind mount of `/proc/thread-self/ns/*` keeps
//! a namespace alive after its last member is gone. That is all a pod needs, so
//! there is no pause process. A thread makes them, because unshare(2) moves
//! only the calling thread into new net, ipc and uts namespaces; the thread
//! then ends, the mounts stay.

use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statfs::{NSFS_MAGIC, statfs};
use nix::unistd::sethostname;
use oci_spec::runtime::LinuxNamespaceType;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, failed};
use crate::paths::make_dir;

/// A kind of namespace that a pod can own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Network: devices, addresses, ports.
    Net,
    /// System V IPC and POSIX message queues.
    Ipc,
    /// Host name.
    Uts,
}

impl Kind {
    /// Returns the name under `/proc/PID/ns`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Net => "net",
            Kind::Ipc => "ipc",
            Kind::Uts => "uts",
        }
    }

    fn flag(self) -> CloneFlags {
        match self {
            Kind::Net => CloneFlags::CLONE_NEWNET,
            Kind::Ipc => CloneFlags::CLONE_NEWIPC,
            Kind::Uts => CloneFlags::CLONE_NEWUTS,
        }
    }

    /// Returns the name of the same kind in config.json.
    #[must_use]
    pub fn oci(self) -> LinuxNamespaceType {
        match self {
            Kind::Net => LinuxNamespaceType::Network,
            Kind::Ipc => LinuxNamespaceType::Ipc,
            Kind::Uts => LinuxNamespaceType::Uts,
        }
    }
}

/// The namespaces to pin for one pod.
#[derive(Debug, Clone)]
pub struct Pins {
    /// The directory that holds the files to mount on.
    pub dir: PathBuf,
    /// Which of them; what is missing here stays the host's.
    pub kinds: Vec<Kind>,
    /// The pod's host name; used with [`Kind::Uts`].
    pub hostname: String,
}

impl Pins {
    /// Makes the namespaces and pins each under its name in `dir`.
    ///
    /// On failure, [`unpin`] takes back what was done.
    ///
    /// # Errors
    /// EPERM: no CAP_SYS_ADMIN. ENOSPC: more namespaces than
    /// `/proc/sys/user/max_*_namespaces` allow.
    ///
    /// Source: namespaces(7), "The /proc/pid/ns/ directory"; unshare(2)
    pub fn pin(&self) -> Result<()> {
        make_dir(&self.dir)?;
        if self.kinds.is_empty() {
            return Ok(());
        }
        let pins = self.clone();
        std::thread::Builder::new()
            .name("pin".to_owned())
            .spawn(move || pins.pin_this_thread())
            .map_err(failed("clone(\"pin\")"))?
            .join()
            .unwrap_or_else(|_| {
                Err(Error::Failed("the thread \"pin\" panicked".to_owned()))
            })
    }

    /// Runs in the thread "pin", which leaves the host's namespaces for good.
    // ANCHOR: pin_this_thread
    fn pin_this_thread(&self) -> Result<()> {
        let flags: CloneFlags =
            self.kinds.iter().map(|kind| kind.flag()).collect();
        unshare(flags).map_err(failed(format!("unshare({flags:?})")))?;
        if self.kinds.contains(&Kind::Uts) {
            sethostname(&self.hostname)
                .map_err(failed(format!("sethostname({:?})", self.hostname)))?;
        }
        if self.kinds.contains(&Kind::Net) {
            set_loopback_up()?;
        }
        self.kinds
            .iter()
            .try_for_each(|kind| pin(&self.dir.join(kind.name()), *kind))
    }
    // ANCHOR_END: pin_this_thread
}

/// Tells whether a namespace is still pinned at `file`: after a reboot it is
/// not.
///
/// Source: statfs(2), NSFS_MAGIC
#[must_use]
pub fn is_pinned(file: &Path) -> bool {
    statfs(file).is_ok_and(|fs| fs.filesystem_type() == NSFS_MAGIC)
}

/// Lets go of all namespaces pinned in `dir`; those that no process uses are
/// gone then.
///
/// # Errors
/// EPERM: as umount2(2). That nothing is mounted is no error.
pub fn unpin(dir: &Path) -> Result<()> {
    for kind in [Kind::Net, Kind::Ipc, Kind::Uts] {
        unmount(&dir.join(kind.name()))?;
    }
    Ok(())
}

/// Unmounts `target`, if it is a mount point at all.
///
/// # Errors
/// EPERM: as umount2(2).
pub fn unmount(target: &Path) -> Result<()> {
    use nix::errno::Errno::{EINVAL, ENOENT};
    // Detached, so that nobody's open file there keeps a pod from being
    // removed.
    match umount2(target, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
        Ok(()) | Err(EINVAL | ENOENT) => Ok(()),
        Err(errno) => {
            Err(failed(format!("umount2({target:?}, MNT_DETACH)"))(errno))
        }
    }
}

/// A namespace file can only be mounted on a file, so an empty one is made
/// first.
fn pin(file: &Path, kind: Kind) -> Result<()> {
    std::fs::File::create(file)
        .map_err(failed(format!("open({file:?}, O_CREAT)")))?;
    // Not /proc/self: that is the process' main thread, which is still the
    // host's.
    let source = format!("/proc/thread-self/ns/{}", kind.name());
    mount(
        Some(source.as_str()),
        file,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )
    .map_err(failed(format!("mount({source:?}, {file:?}, MS_BIND)")))
}

/// A new network namespace has a loopback device, and it is down.
///
/// The socket is opened in this thread, so it speaks for the new namespace.
///
/// Source: rtnetlink(7), network_namespaces(7)
fn set_loopback_up() -> Result<()> {
    let netlink = |error: rtnetlink::Error| {
        Error::Failed(format!("RTM_NEWLINK(\"lo\", IFF_UP): {error}"))
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(failed("epoll_create()"))?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection()
            .map_err(failed("socket(AF_NETLINK)"))?;
        tokio::spawn(connection);
        let up = rtnetlink::LinkUnspec::new_with_name("lo").up().build();
        handle.link().set(up).execute().await.map_err(netlink)
    })
}
