//! What the user asks to have mounted in the root: files of the host, and
//! directories in memory. Made by the new mount API, complete with all
//! attributes before anybody can see it.

use crate::cli::{BindOption, TmpfsOption};
use anyhow::bail;
use namespaces::idmap::{IdMapping, IdMaps};
use namespaces::mounts::{
    Attributes, DetachedMount, Filesystem, MountAttrFlags, Propagation, Reach,
    fstype, user_namespace,
};
use namespaces::root::Root;
use namespaces::{InCall, Result};
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::geteuid;
use std::cell::RefCell;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// A file or directory of the host, to be seen inside.
#[derive(Debug)]
pub(crate) struct BindStep {
    source: PathBuf,
    target: PathBuf,
    read_only: bool,
    /// Who owns the source, if that one is to be root inside.
    owner: Option<(u32, u32)>,
    /// What the parent has made, who alone may map ids.
    made: RefCell<Option<DetachedMount>>,
}

impl BindStep {
    /// Finds the source.
    pub(crate) fn new(option: &BindOption) -> anyhow::Result<Self> {
        let source = &option.source;
        let source = source
            .canonicalize()
            .in_call(|| format!("realpath({source:?})"))?;
        let file = source.metadata().in_call(|| format!("stat({source:?})"))?;
        let owner = option.idmap.then_some((file.uid(), file.gid()));
        if option.idmap && !geteuid().is_root() {
            bail!(
                "--bind {source:?}: idmap: only root of the machine may map \
                 the ids of a file system of {}",
                fstype(&source)?
            );
        }
        let (target, read_only) = (option.target.clone(), option.read_only);
        let made = RefCell::new(None);
        Ok(Self { source, target, read_only, owner, made })
    }

    /// Makes the mount, if it needs the rights of the parent. Runs in the
    /// parent, before the child exists.
    pub(crate) fn prepare(&self, inside: Option<&IdMaps>) -> Result<()> {
        let Some(owner) = self.owner else { return Ok(()) };
        let mount = self.open_tree()?;
        let user = user_namespace(&owner_is_root(owner, inside))?;
        mount.idmap(user.as_fd(), Reach::AllBelow)?;
        // On the host it may be shared: what is mounted in it inside would
        // appear there.
        let private = Attributes::propagation(Propagation::Private);
        mount.set(&private, Reach::AllBelow)?;
        self.made.replace(Some(mount));
        Ok(())
    }

    pub(super) fn run(&self, root: &Root) -> Result<()> {
        let mount = match self.made.take() {
            Some(mount) => mount,
            None => self.open_tree()?,
        };
        if self.read_only {
            mount.set(&READ_ONLY, Reach::AllBelow)?;
        }
        mount.attach_in(root, &self.target).map(drop)
    }

    fn open_tree(&self) -> Result<DetachedMount> {
        let (path, flags) = (&self.source, OFlag::O_PATH | OFlag::O_CLOEXEC);
        let source: OwnedFd = open(path, flags, Mode::empty())
            .in_call(|| format!("open({path:?}, O_PATH)"))?;
        DetachedMount::open_tree(source.as_fd(), Reach::AllBelow)
    }

    /// Lists the calls of the parent.
    pub(crate) fn parent_calls(&self, inside: Option<&IdMaps>) -> Vec<String> {
        let Some(owner) = self.owner else { return Vec::new() };
        let maps = owner_is_root(owner, inside);
        let (uid, gid) = (maps.uids[0], maps.gids[0]);
        vec![
            format!(
                "clone3(CLONE_NEWUSER) = HELPER, uid_map \"{uid}\", gid_map \
                 \"{gid}\""
            ),
            "open(\"/proc/HELPER/ns/user\") = USERNS".into(),
            format!("{} = MNT", self.open_tree_call()),
            "mount_setattr(MNT, \"\", AT_EMPTY_PATH|AT_RECURSIVE, \
             {attr_set=MOUNT_ATTR_IDMAP, userns_fd=USERNS})"
                .into(),
        ]
    }

    pub(super) fn calls(&self) -> Vec<String> {
        let open = self.owner.is_none();
        let open = open.then(|| format!("{} = MNT", self.open_tree_call()));
        let read_only = self.read_only.then(|| READ_ONLY.call(Reach::AllBelow));
        let point = format!("POINT of {:?}", self.target);
        let attach = DetachedMount::move_mount_call(&point);
        open.into_iter().chain(read_only).chain([attach]).collect()
    }

    fn open_tree_call(&self) -> String {
        let file = format!("{:?}", self.source);
        DetachedMount::open_tree_call(&file, Reach::AllBelow)
    }
}

const READ_ONLY: Attributes<'static> =
    Attributes::set(MountAttrFlags::MOUNT_ATTR_RDONLY);

/// The owner on disk appears as whoever is root inside: 0, or what the child's
/// user namespace makes of it.
fn owner_is_root((uid, gid): (u32, u32), inside: Option<&IdMaps>) -> IdMaps {
    let root = |map: fn(&IdMaps) -> &Vec<IdMapping>| {
        let mut lines = inside.into_iter().flat_map(map);
        lines.find(|line| line.inside == 0).map_or(0, |line| line.outside)
    };
    IdMaps {
        uids: vec![IdMapping::single(uid, root(|maps| &maps.uids))],
        gids: vec![IdMapping::single(gid, root(|maps| &maps.gids))],
    }
}

/// A directory in memory.
#[derive(Debug)]
pub(crate) struct TmpfsStep {
    target: PathBuf,
    filesystem: Filesystem,
}

impl TmpfsStep {
    /// Decides what it is.
    pub(crate) fn new(option: &TmpfsOption) -> Self {
        let filesystem = Filesystem::tmpfs(&option.options);
        Self { target: option.target.clone(), filesystem }
    }

    pub(super) fn run(&self, root: &Root) -> Result<()> {
        self.filesystem.create()?.attach_in(root, &self.target).map(drop)
    }

    pub(super) fn calls(&self) -> Vec<String> {
        let point = format!("POINT of {:?}", self.target);
        let attach = DetachedMount::move_mount_call(&point);
        self.filesystem.calls().into_iter().chain([attach]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_bound_file_becomes_the_root_inside() {
        let maps = owner_is_root((1000, 100), None);
        assert_eq!(maps.uids, [IdMapping::single(1000, 0)]);
        assert_eq!(maps.gids, [IdMapping::single(100, 0)]);
        let range = IdMapping { inside: 0, outside: 100_000, count: 9 };
        let inside = IdMaps { uids: vec![range], gids: vec![range] };
        let maps = owner_is_root((1000, 100), Some(&inside));
        assert_eq!(maps.uids, [IdMapping::single(1000, 100_000)]);
    }
}
