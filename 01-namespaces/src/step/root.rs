//! The steps that make a directory the root. All go by handle, through
//! [`Root`], from outside; the last is the pivot.

use super::bind::{BindStep, TmpfsStep};
use namespaces::mounts::{
    DetachedMount, Mount, Overlay, Reach, make_read_only_below,
};
use namespaces::namespace::Namespaces;
use namespaces::root::Root;
use namespaces::rootfs::{
    DefaultDevice, bind_root, make_read_only, make_read_only_below_root,
    make_root_read_only, mask, pivot,
};
use namespaces::{Result, SyscallError};
use nix::errno::Errno;
use nix::mount::MsFlags;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// A directory, what it is made into, and what is put in it.
#[derive(Debug)]
pub(crate) struct NewRoot {
    pub(crate) dir: PathBuf,
    pub(crate) base: Base,
    pub(crate) steps: Vec<RootStep>,
}

/// How the directory becomes a mount, which pivot_root(2) wants.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Base {
    /// The directory itself, with what is mounted in it.
    Bind,
    /// The same, and what is mounted in it is read-only.
    BindReadOnlyBelow,
    /// An overlay, of which the directory is the lower layer.
    Overlay,
}

/// What is done inside the directory that becomes the root.
#[derive(Debug)]
pub(crate) enum RootStep {
    Mount(Mount),
    Device(&'static DefaultDevice, Namespaces),
    /// A symlink: to what, at which path.
    Link(&'static str, &'static str),
    Tmpfs(TmpfsStep),
    Bind(BindStep),
    Mask(&'static str),
    ReadOnly(&'static str),
    /// After all that had to be made in it.
    ReadOnlyRoot,
}

impl NewRoot {
    pub(super) fn run(&self) -> Result<()> {
        let root = self.base.open(&self.dir)?;
        for step in &self.steps {
            step.run(&root).map_err(|error| self.explain(error))?;
        }
        pivot(root)
    }

    /// What helps depends on what the directory is, not on the step.
    fn explain(&self, error: SyscallError) -> SyscallError {
        let hint = match error.errno {
            _ if error.hint.is_some() => return error,
            Errno::EBUSY if self.dir == Path::new("/") => {
                "the host's own root has that already: --rootfs / goes with \
                 --overlay"
            }
            Errno::EACCES | Errno::EROFS | Errno::ENOSPC => {
                "add --overlay, or make /proc, /sys, /dev and what you mount \
                 on in DIR beforehand: it cannot be written"
            }
            Errno::EEXIST | Errno::ELOOP | Errno::ENOTDIR => {
                "something in DIR is in the way there: a file, or a symlink \
                 that leads nowhere"
            }
            _ => return error,
        };
        error.hint(hint)
    }

    pub(super) fn binds(&self) -> Vec<&BindStep> {
        let steps = self.steps.iter();
        steps
            .filter_map(|step| match step {
                RootStep::Bind(bind) => Some(bind),
                _ => None,
            })
            .collect()
    }

    pub(super) fn calls(&self) -> Vec<String> {
        let open = format!("open({:?}, O_PATH|O_DIRECTORY) = ROOT", self.dir);
        let note = "(ROOT is now what was attached. Targets from here on: \
                    openat2(ROOT, .., RESOLVE_IN_ROOT) = POINT)";
        let pivot = [
            "fchdir(ROOT)",
            r#"pivot_root(".", ".")"#,
            r#"umount2(".", MNT_DETACH)"#,
        ];
        [open]
            .into_iter()
            .chain(self.base.calls())
            .chain([note.to_owned()])
            .chain(self.steps.iter().flat_map(RootStep::calls))
            .chain(pivot.map(str::to_owned))
            .collect()
    }
}

impl Base {
    fn open(self, dir: &Path) -> Result<Root> {
        match self {
            Self::Bind => bind_root(dir),
            Self::BindReadOnlyBelow => {
                let root = bind_root(dir)?;
                make_read_only_below_root(&root)?;
                Ok(root)
            }
            Self::Overlay => Root::overlay(dir),
        }
    }

    fn calls(self) -> Vec<String> {
        let bind = [
            DetachedMount::open_tree_call("ROOT", Reach::AllBelow) + " = MNT",
            DetachedMount::move_mount_call("ROOT"),
        ];
        let below = namespaces::rootfs::read_only_below_root_calls();
        match self {
            Self::Bind => bind.to_vec(),
            Self::BindReadOnlyBelow => bind.into_iter().chain(below).collect(),
            Self::Overlay => Overlay::calls(),
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
            Self::Tmpfs(tmpfs) => tmpfs.run(root),
            Self::Bind(bind) => bind.run(root),
            Self::Mask(path) => mask(root, Path::new(path)),
            Self::ReadOnly(path) => make_read_only(root, Path::new(path)),
            Self::ReadOnlyRoot => make_root_read_only(root),
        }
    }

    fn calls(&self) -> Vec<String> {
        match self {
            Self::Mount(mount) => vec![mount.to_string()],
            Self::Device(device, namespaces) => vec![device.call(*namespaces)],
            Self::Link(to, at) => {
                vec![format!("symlinkat({to:?}, .., {at:?})")]
            }
            Self::Tmpfs(tmpfs) => tmpfs.calls(),
            Self::Bind(bind) => bind.calls(),
            Self::Mask(path) => {
                let source = "\"/dev/null\" or \"tmpfs\"";
                vec![format!("mount({source}, {path:?}, ..)")]
            }
            Self::ReadOnly(path) => {
                let mount = Mount::bind(path, path);
                vec![mount.with_flags(MsFlags::MS_RDONLY).to_string()]
            }
            Self::ReadOnlyRoot => {
                let flags = "MS_REMOUNT|MS_BIND|MS_RDONLY|..";
                vec![format!("mount(NULL, ROOT, NULL, {flags}, NULL)")]
            }
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
