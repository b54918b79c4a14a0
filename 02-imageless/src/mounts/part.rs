//! One thing that is done at one place in the root: files of the host bound, a
//! file system made, a mount changed, a link.

use super::{copy_up, explain};
use crate::mount_options::{Change, Options};
use namespaces::mounts::{
    Attributes, DetachedMount, Filesystem, Mount, MountAttrFlags, Propagation,
    Reach, flags_of,
};
use namespaces::root::{self, Root, path_of};
use namespaces::{InCall, Result, SyscallError};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct Part {
    pub(super) target: PathBuf,
    pub(super) what: What,
    /// For the mount alone, and for all below it.
    pub(super) changes: [(Change, Reach); 2],
    pub(super) propagation: Vec<(Propagation, Reach)>,
    /// In a user namespace the kernel's answers mean something else.
    pub(super) user_namespace: bool,
}

#[derive(Debug)]
pub(super) enum What {
    /// Show files of the host.
    Bind { source: PathBuf, reach: Reach },
    /// Make a file system: one call.
    New(Mount),
    /// Make one that has more done to it before it can be seen: many calls.
    InSteps { like: Mount, filesystem: Filesystem, copy_up: bool },
    /// Change a mount that is there.
    Change,
    /// Change its file system too.
    Remount { superblock: MsFlags, data: String },
    /// Make a symlink.
    Link(PathBuf),
}

impl Part {
    pub(super) fn new(target: &Path, what: What, options: &Options) -> Self {
        Self {
            target: target.to_owned(),
            what,
            changes: [
                (options.this, Reach::This),
                (options.all_below, Reach::AllBelow),
            ],
            propagation: options.propagation.clone(),
            user_namespace: false,
        }
    }

    pub(super) fn cut_off_if_silent(&mut self) {
        if let What::Bind { reach, .. } = self.what
            && self.propagation.is_empty()
        {
            self.propagation.push((Propagation::Private, reach));
        }
    }

    /// What it covers its target with, if it does.
    pub(super) fn mount(&self) -> Option<Mount> {
        match &self.what {
            What::New(mount) | What::InSteps { like: mount, .. } => {
                Some(mount.clone())
            }
            What::Bind { source, .. } => {
                Some(Mount::bind(source, &self.target))
            }
            What::Change | What::Remount { .. } | What::Link(_) => None,
        }
    }

    /// Does it. `held` is a mount that was made for it before.
    pub(super) fn mount_in(
        &self,
        root: &Root,
        held: Option<DetachedMount>,
    ) -> Result<()> {
        let target = &self.target;
        match &self.what {
            What::Bind { source, reach } => {
                let mount = held
                    .map_or_else(|| DetachedMount::bind(source, *reach), Ok)?;
                self.change(&mount)?;
                mount.attach_in(root, target).map(drop)
            }
            What::New(mount) => match mode_of_target(mount, root)? {
                Some(data) => mount.clone().with_data(data).mount_in(root),
                None => mount.mount_in(root),
            },
            What::InSteps { .. } => self.mount_in_steps(root),
            What::Change => self.change(root.resolve(target)?),
            What::Remount { superblock, data } => {
                let top = root.resolve(target)?;
                self.change(&top)?;
                self.remount(top.as_fd(), *superblock, data)
            }
            What::Link(to) => root.symlink(to, target),
        }
    }

    // ANCHOR: change
    /// Changes all that the options say: in four calls at most, and most mounts
    /// need one or none.
    pub(super) fn change(&self, mount: impl AsFd) -> Result<()> {
        let mount = mount.as_fd();
        for (Change { set, clear }, reach) in self.changes {
            if !(set | clear).is_empty() {
                let attributes = Attributes { clear, ..Attributes::set(set) };
                attributes.apply(mount, reach)?;
            }
        }
        self.propagation.iter().try_for_each(|(how, reach)| {
            Attributes::propagation(*how).apply(mount, *reach)
        })
    }
    // ANCHOR_END: change

    /// What is copied into it is read by the handle on the mount point, which
    /// stays on what will be hidden.
    fn mount_in_steps(&self, root: &Root) -> Result<()> {
        let What::InSteps { like, filesystem, copy_up } = &self.what else {
            return Ok(());
        };
        let mode = mode_of_target(like, root)?;
        let point = like.mount_point(root)?;
        let mode = mode.as_deref().and_then(|data| data.split(',').next());
        let mount =
            filesystem.clone().with_word(mode.unwrap_or_default()).create()?;
        if *copy_up {
            copy_up::copy(point.as_fd(), mount.as_fd())?;
        }
        self.change(&mount)?;
        mount.attach(point.as_fd()).map(drop)
    }

    /// MS_REMOUNT replaces all flags: those that are to stay are given again.
    fn remount(
        &self,
        top: BorrowedFd<'_>,
        superblock: MsFlags,
        data: &str,
    ) -> Result<()> {
        let path = path_of(top);
        let mut flags = flags_of(&path)? | superblock | MsFlags::MS_REMOUNT;
        let [(this, _), _] = self.changes;
        if this.clear.contains(MountAttrFlags::MOUNT_ATTR_RDONLY) {
            // It may be the file system that was read-only, not the mount.
            flags -= MsFlags::MS_RDONLY;
        }
        mount(None::<&str>, &path, None::<&str>, flags, Some(data)).in_call(
            || {
                let target = &self.target;
                format!("mount(NULL, {target:?}, NULL, MS_REMOUNT, {data:?})")
            },
        )
    }

    /// Says what the kernel's answer means here.
    pub(super) fn explain(&self, error: SyscallError) -> SyscallError {
        match &self.what {
            What::New(mount) | What::InSteps { like: mount, .. }
                if self.user_namespace =>
            {
                explain::of_filesystem(error, mount.fstype.as_deref())
            }
            What::Bind { .. } => explain::of_bind(error),
            What::New(_)
            | What::InSteps { .. }
            | What::Change
            | What::Remount { .. }
            | What::Link(_) => error,
        }
    }
}

/// A tmpfs without a word on its mode has that of the directory it hides, as
/// runc and crun do it: a /run for all to write in surprises programs.
fn mode_of_target(mount: &Mount, root: &Root) -> Result<Option<String>> {
    let data = mount.data.as_deref().unwrap_or_default();
    let has_mode = data.split(',').any(|word| word.starts_with("mode="));
    if mount.fstype.as_deref() != Some("tmpfs") || has_mode {
        return Ok(None);
    }
    match root.resolve(&mount.target) {
        Ok(there) => {
            let mode = root::status(there.as_fd())?.st_mode & 0o7777;
            Ok(Some(format!("mode={mode:o},{data}")))
        }
        Err(error) if error.errno == Errno::ENOENT => Ok(None),
        Err(error) => Err(error),
    }
}
