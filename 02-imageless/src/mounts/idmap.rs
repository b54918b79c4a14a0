//! `uidMappings`, `gidMappings`, `idmap` and `ridmap` of a mount: its files
//! appear as belonging to others, and on disk nothing changes. The kernel takes
//! the map of a user namespace for it: one that has no process, or the
//! container's.

use crate::isolation::{Isolation, mappings};
use crate::mount_options::Options;
use anyhow::{Result, bail};
use namespaces::idmap::{IdMaps, fault};
use namespaces::mounts::{DetachedMount, Reach, user_namespace};
use namespaces::namespace::Namespace;
use nix::unistd::geteuid;
use oci_spec::runtime::Mount as Entry;
use std::os::fd::AsFd;

/// As whose the files of a mount appear.
#[derive(Debug)]
pub(super) struct IdMap {
    /// `None`: the map of the container's user namespace.
    maps: Option<IdMaps>,
    reach: Reach,
}

/// Decides it for an entry; `None` if it asks for nothing of this.
///
/// # Errors
/// One map without the other, a map that is impossible, none at all, or a user
/// who may not.
///
/// Source: runtime-spec: config.md, "POSIX-platform Mounts"
pub(super) fn plan(
    entry: &Entry,
    options: &Options,
    isolation: &Isolation,
) -> Result<Option<IdMap>> {
    let maps = IdMaps {
        uids: mappings(entry.uid_mappings()),
        gids: mappings(entry.gid_mappings()),
    };
    let reach = options.idmap.unwrap_or(Reach::This);
    let given = match (maps.uids.is_empty(), maps.gids.is_empty()) {
        (true, true) if options.idmap.is_none() => return Ok(None),
        (true, true) => None,
        (true, false) => bail!("uidMappings: missing, with gidMappings there"),
        (false, true) => bail!("gidMappings: missing, with uidMappings there"),
        (false, false) => Some(maps),
    };
    if options.bind.is_none() || options.remount {
        bail!("uidMappings: not for a mount that is no bind mount");
    }
    if !geteuid().is_root() {
        bail!(
            "options: \"idmap\": only root of the machine may map the ids of \
             its file systems\nhint: leave it out, or run as root"
        );
    }
    match &given {
        Some(maps) => check(maps)?,
        None if isolation.own().contains(Namespace::User) => {}
        None => bail!(
            "uidMappings: missing: the options say idmap, and the container \
             has no user namespace whose map could be meant"
        ),
    }
    Ok(Some(IdMap { maps: given, reach }))
}

fn check(maps: &IdMaps) -> Result<()> {
    for (field, map) in
        [("uidMappings", &maps.uids), ("gidMappings", &maps.gids)]
    {
        if let Some(fault) = fault(map) {
            bail!("{field}: {fault}");
        }
    }
    Ok(())
}

impl IdMap {
    /// Maps the ids of a mount that is not attached yet. Runs in the runtime.
    pub(super) fn apply(
        &self,
        mount: &DetachedMount,
        isolation: &Isolation,
    ) -> namespaces::Result<()> {
        let maps = self.maps.as_ref();
        let joined = isolation.joined(Namespace::User);
        match (maps, joined) {
            (None, Some(user)) => mount.idmap(user, self.reach),
            _ => {
                let maps = maps.unwrap_or(&isolation.maps);
                mount.idmap(user_namespace(maps)?.as_fd(), self.reach)
            }
        }
    }
}
