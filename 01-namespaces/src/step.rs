//! The steps of the child: each is a value that can be printed and done.

use namespaces::mounts::{Mount, make_read_only_below};
use namespaces::namespace::{Namespace, Namespaces, unshare};
use namespaces::root::Root;
use namespaces::rootfs::{
    DefaultDevice, bind_root, make_private, make_read_only, mask, pivot,
};
use namespaces::time::ClockOffsets;
use namespaces::{InCall, Result};
use nix::mount::MsFlags;
use nix::unistd::{Gid, Uid, setgid, setgroups, sethostname, setuid};
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// What the child does to its own surroundings.
#[derive(Debug)]
pub(crate) enum Step {
    /// Makes the cgroup namespace only now: its root is the cgroup that the
    /// process is in, and at clone3(2) that was still the parent's.
    UnshareCgroup,
    /// Makes the time namespace only now: after clone3(2) it is too late to set
    /// the clocks.
    UnshareTime(ClockOffsets),
    /// Sets the host name.
    SetHostname(OsString),
    /// Gives up all supplementary groups.
    DropGroups,
    /// Becomes a group of the namespace.
    Setgid(u32),
    /// Becomes a user of the namespace; with the last id of root goes its
    /// power.
    Setuid(u32),
    /// Stops mounts from spreading to the host.
    MakePrivate,
    /// Mounts on the tree as it is.
    Mount(Mount),
    /// Furnishes a directory and makes it the root.
    Root(PathBuf, Vec<RootStep>),
}

/// What is done inside the directory that becomes the root.
#[derive(Debug)]
pub(crate) enum RootStep {
    Mount(Mount),
    Device(&'static DefaultDevice, Namespaces),
    /// A symlink: to what, at which path.
    Link(&'static str, &'static str),
    Mask(&'static str),
    ReadOnly(&'static str),
}

impl Step {
    /// Does it.
    pub(crate) fn run(&self) -> Result<()> {
        match self {
            Self::UnshareCgroup => {
                unshare([Namespace::Cgroup].into_iter().collect())
            }
            Self::UnshareTime(offsets) => offsets.unshare(),
            Self::SetHostname(name) => {
                sethostname(name).in_call(|| format!("sethostname({name:?})"))
            }
            Self::DropGroups => {
                setgroups(&[]).in_call(|| "setgroups([])".into())
            }
            Self::Setgid(gid) => {
                setgid(Gid::from_raw(*gid)).in_call(|| format!("setgid({gid})"))
            }
            Self::Setuid(uid) => {
                setuid(Uid::from_raw(*uid)).in_call(|| format!("setuid({uid})"))
            }
            Self::MakePrivate => make_private(),
            Self::Mount(mount) => mount.mount(),
            Self::Root(dir, steps) => {
                let root = bind_root(dir)?;
                steps.iter().try_for_each(|step| step.run(&root))?;
                pivot(root)
            }
        }
    }

    /// Lists the system calls that it will make.
    pub(crate) fn calls(&self) -> Vec<String> {
        match self {
            Self::UnshareCgroup => vec!["unshare(CLONE_NEWCGROUP)".into()],
            Self::UnshareTime(offsets) => offsets.calls(),
            Self::SetHostname(name) => vec![format!("sethostname({name:?})")],
            Self::DropGroups => vec!["setgroups([])".into()],
            Self::Setgid(gid) => vec![format!("setgid({gid})")],
            Self::Setuid(uid) => vec![format!("setuid({uid})")],
            Self::MakePrivate => {
                vec![
                    r#"mount(NULL, "/", NULL, MS_REC|MS_PRIVATE, NULL)"#.into(),
                ]
            }
            Self::Mount(mount) => vec![mount.to_string()],
            Self::Root(dir, steps) => {
                let open = [
                    Mount::bind(dir, dir).to_string(),
                    format!(
                        "open({dir:?}, O_PATH) = ROOT: from here on, targets"
                    ),
                    "..are resolved by openat2(ROOT, .., RESOLVE_IN_ROOT)"
                        .into(),
                ];
                let pivot = [
                    "fchdir(ROOT)".into(),
                    r#"pivot_root(".", ".")"#.into(),
                    r#"umount2(".", MNT_DETACH)"#.into(),
                    r#"chdir("/")"#.into(),
                ];
                let inside = steps.iter().map(RootStep::call);
                open.into_iter().chain(inside).chain(pivot).collect()
            }
        }
    }
}

impl RootStep {
    fn run(&self, root: &Root) -> Result<()> {
        match self {
            Self::Mount(mount) => mount_in(root, mount),
            Self::Device(device, namespaces) => {
                device.create(root, *namespaces)
            }
            Self::Link(to, at) => root.symlink(Path::new(to), Path::new(at)),
            Self::Mask(path) => mask(root, Path::new(path)),
            Self::ReadOnly(path) => make_read_only(root, Path::new(path)),
        }
    }

    fn call(&self) -> String {
        match self {
            Self::Mount(mount) => mount.to_string(),
            Self::Device(device, namespaces) => device.call(*namespaces),
            Self::Link(to, at) => format!("symlinkat({to:?}, .., {at:?})"),
            Self::Mask(path) => {
                format!("mount(\"/dev/null\" or \"tmpfs\", {path:?}, ..)")
            }
            Self::ReadOnly(path) => Mount::bind(path, path)
                .with_flags(MsFlags::MS_RDONLY)
                .to_string(),
        }
    }
}

/// What is bound from the host brings the mounts below it along; they must not
/// stay writable where the mount itself is not.
fn mount_in(root: &Root, mount: &Mount) -> Result<()> {
    mount.mount_in(root)?;
    if mount.flags.contains(MsFlags::MS_BIND | MsFlags::MS_RDONLY) {
        make_read_only_below(root.resolve(&mount.target)?.as_fd())?;
    }
    Ok(())
}
