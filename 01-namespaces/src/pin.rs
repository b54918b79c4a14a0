//! `isolate pin DIR` and `isolate unpin DIR`: namespaces with no process in
//! them. An open file of /proc/PID/ns keeps its namespace, and so does a mount
//! of that file: the process with which it was made can go.

use crate::cli::NamespaceOptions;
use crate::{child, output};
use anyhow::{Result, bail};
use clap::Args;
use namespaces::idmap::{Caller, IdMaps};
use namespaces::mountinfo::MountInfo;
use namespaces::mounts::{
    DetachedMount, Filesystem, Propagation, Reach, set_propagation,
};
use namespaces::namespace::{Namespace, NamespaceFile, Namespaces};
use namespaces::process::{Child, Gate, SpawnOptions, pidfd_open, spawn};
use namespaces::root::Root;
use namespaces::{InCall, Result as CallResult, SyscallError};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, umount2};
use nix::sys::signal::SigSet;
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkdir};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// Makes namespaces without a process
///
/// They stay until `isolate unpin DIR`, or until the machine is turned off;
/// `isolate enter DIR CMD..` runs a command in them. Not --pid: a pid namespace
/// ends with its process 1.
#[derive(Debug, Args)]
pub(crate) struct PinOptions {
    /// A directory to make; its files are named as in /proc/PID/ns
    dir: PathBuf,
    #[command(flatten)]
    namespaces: NamespaceOptions,
}

/// Lets the namespaces of a directory go
///
/// What still runs in them goes on; they end with the last process.
#[derive(Debug, Args)]
pub(crate) struct UnpinOptions {
    /// A directory that `isolate pin` made
    dir: PathBuf,
}

// ANCHOR: pin
/// Makes the namespaces around a process, takes hold of them, lets the process
/// go, and puts a mount in the place of the hold.
pub(crate) fn pin(options: &PinOptions) -> Result<u8> {
    let namespaces = options.namespaces.namespaces();
    refuse_what_cannot_be_kept(namespaces)?;
    // A signal waits until DIR is whole, or gone again.
    SigSet::all()
        .thread_block()
        .in_call(|| "sigprocmask(SIG_BLOCK, ~[])".into())?;
    let gate = Gate::new()?;
    let us = pidfd_open(Pid::this())?;
    let spawn_options = SpawnOptions { namespaces, cgroup: None };
    let child = spawn(&spawn_options, || {
        be_there(&gate, us.as_fd(), namespaces.contains(Namespace::Mount))
    })?;
    let files = take_hold(&child, namespaces);
    if files.is_ok() {
        gate.open()?;
    }
    drop(gate);
    let status = child.wait()?;
    let files = files?;
    if status.code() != 0 {
        // The child has said why.
        return Ok(crate::OUR_FAILURE);
    }
    keep(&options.dir, files)?;
    Ok(0)
}
// ANCHOR_END: pin

/// Lets them go.
pub(crate) fn unpin(options: &UnpinOptions) -> Result<u8> {
    let dir = options.dir.canonicalize();
    let dir = dir.in_call(|| format!("realpath({:?})", options.dir))?;
    if !is_pinned(&dir, &MountInfo::of("self")?) {
        bail!(
            "{dir:?}: holds no namespaces\n\
             hint: a directory that `isolate pin` made, seen from the mount \
             namespace where it was made"
        );
    }
    remove(&dir)?;
    Ok(0)
}

fn refuse_what_cannot_be_kept(namespaces: Namespaces) -> Result<()> {
    if namespaces.is_empty() {
        bail!("no namespace to pin\nhint: isolate pin --net --uts DIR");
    }
    if namespaces.contains(Namespace::Pid) {
        bail!(
            "--pid: cannot be pinned: a pid namespace ends with its process 1\n\
             hint: isolate --pid -- sleep infinity & isolate enter PID"
        );
    }
    Ok(())
}

/// The child's story: to be in the namespaces until somebody holds them.
fn be_there(gate: &Gate, parent: BorrowedFd<'_>, mounts: bool) -> i32 {
    let done = child::die_with(parent).and_then(|()| gate.wait());
    if done.is_err() {
        // The parent has failed, and says why.
        return crate::OUR_FAILURE.into();
    }
    let apart = if mounts { Propagation::Private.set_on_all() } else { Ok(()) };
    match apart {
        Ok(()) => 0,
        Err(error) => {
            output::tell(error);
            crate::OUR_FAILURE.into()
        }
    }
}

/// Opens the files of its namespaces; from then on these hold them.
fn take_hold(
    child: &Child,
    namespaces: Namespaces,
) -> CallResult<Vec<NamespaceFile>> {
    if namespaces.contains(Namespace::User) {
        IdMaps::root_is_caller(&Caller::current()).write(child.pid())?;
    }
    let dir = PathBuf::from(format!("/proc/{}/ns", child.pid()));
    let open = |namespace| NamespaceFile::open(&dir, namespace);
    namespaces.iter().map(open).collect()
}

/// Makes the directory. A file system of its own: whatever fails halfway is
/// undone by one umount(2), and so are the mounts of the files later.
fn keep(dir: &Path, files: Vec<NamespaceFile>) -> CallResult<()> {
    mkdir(dir, Mode::from_bits_truncate(0o755))
        .in_call(|| format!("mkdir({dir:?}, 0755)"))
        .map_err(explain)?;
    let kept = mount_files(dir, &files);
    if kept.is_err() {
        // Perhaps nothing was mounted yet. What failed first is what is told.
        let _ = umount2(dir, MntFlags::MNT_DETACH);
        let _ = std::fs::remove_dir(dir);
    }
    kept.map_err(explain)
}

fn mount_files(dir: &Path, files: &[NamespaceFile]) -> CallResult<()> {
    let point = Root::open(dir)?;
    let tmpfs = Filesystem::tmpfs("mode=755,size=64k").create()?;
    let tmpfs = tmpfs.attach(point.resolve(Path::new("/"))?.as_fd())?;
    // Other mount namespaces see the directory, and hold nothing by it.
    set_propagation(dir, MsFlags::MS_PRIVATE)?;
    let root = Root::of_mount(tmpfs, dir);
    for file in files {
        let mount = DetachedMount::open_tree(file.as_fd(), Reach::This)?;
        mount.attach_in(&root, Path::new(file.namespace.file()))?;
    }
    Ok(())
}

/// Undoes [`keep`]: with the tmpfs go the mounts in it.
fn remove(dir: &Path) -> CallResult<()> {
    umount2(dir, MntFlags::MNT_DETACH)
        .in_call(|| format!("umount2({dir:?}, MNT_DETACH)"))
        .map_err(explain)?;
    std::fs::remove_dir(dir).in_call(|| format!("rmdir({dir:?})"))
}

/// Tells whether a directory is a tmpfs with nothing but namespaces mounted in
/// it.
fn is_pinned(dir: &Path, mounts: &[MountInfo]) -> bool {
    let here = mounts.iter().rev().find(|mount| mount.target == dir);
    let mut below = mounts
        .iter()
        .filter(|mount| mount.target != dir && mount.target.starts_with(dir));
    here.is_some_and(|mount| mount.fstype == "tmpfs")
        && below.clone().next().is_some()
        && below.all(|mount| mount.fstype == "nsfs")
}

fn explain(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EEXIST => error.hint("it has to be new: isolate makes it"),
        Errno::ENOENT => error.hint("the directory above it has to be there"),
        Errno::EPERM => error.hint(
            "to mount takes root, or a user and a mount namespace of your own: \
             isolate --user --mount",
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &[u8] = b"\
1 0 0:1 / /box rw - tmpfs tmpfs rw
2 1 0:4 net:[9] /box/net rw - nsfs nsfs rw
3 0 0:2 / /data rw - tmpfs tmpfs rw
4 0 0:2 / /mixed rw - tmpfs tmpfs rw
5 4 0:4 net:[9] /mixed/net rw - nsfs nsfs rw
6 4 0:3 / /mixed/home rw - ext4 /dev/vda rw
";

    #[test]
    fn only_a_tmpfs_with_nothing_but_namespaces_is_let_go() {
        let mounts = MountInfo::parse(MOUNTS);
        assert!(is_pinned(Path::new("/box"), &mounts));
        for other in ["/", "/data", "/mixed", "/box/net", "/nowhere"] {
            assert!(!is_pinned(Path::new(other), &mounts), "{other}");
        }
    }
}
