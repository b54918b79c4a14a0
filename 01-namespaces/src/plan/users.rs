//! Who the child is going to be: the id maps of its user namespace, and the ids
//! that it takes on in it.

use crate::cli::UserOptions;
use crate::step::Step;
use anyhow::{Result, bail};
use namespaces::idmap::{
    Caller, IdMapping, IdMaps, Owner, SubordinateFile, SubordinateIds,
    with_single,
};

/// The part of the plan that is about users.
#[derive(Debug)]
pub(crate) struct Users {
    /// What the parent writes, if there is a user namespace.
    pub(crate) id_maps: Option<IdMaps>,
    /// The child's first steps.
    pub(crate) first: Vec<Step>,
    /// Its last: who is not root any more can mount nothing.
    pub(crate) last: Vec<Step>,
}

impl Users {
    /// Decides; `user_namespace` tells whether there is a new one.
    pub(crate) fn new(
        options: &UserOptions,
        user_namespace: bool,
        caller: &Caller,
    ) -> Result<Self> {
        let ids = (options.setuid, options.setgid);
        if !user_namespace {
            let (id_maps, first) = (None, Vec::new());
            return Ok(Self { id_maps, first, last: become_ids(ids, true) });
        }
        let maps = id_maps(options, caller)?;
        maps.check()?;
        refuse_unmapped("--setuid", ids.0, &maps.uids)?;
        refuse_unmapped("--setgid", ids.1, &maps.gids)?;
        let setgroups = !maps.denies_setgroups(caller);
        // Nobody can create a file: be root for what comes before the command.
        let root = |map: &[IdMapping]| has(map, 0).then_some(0);
        let nobody = !maps.knows(caller);
        let start = if nobody {
            (root(&maps.uids), root(&maps.gids))
        } else {
            (None, None)
        };
        Ok(Self {
            first: become_ids(start, setgroups),
            last: become_ids(ids, setgroups),
            id_maps: Some(maps),
        })
    }
}

/// Makes the maps: a single id for the caller, and blocks around it.
fn id_maps(options: &UserOptions, caller: &Caller) -> Result<IdMaps> {
    let blocks = if options.map_auto {
        let owner = Owner::of(caller);
        IdMaps {
            uids: SubordinateIds::from_zero(
                &SubordinateFile::Uids.read(&owner)?,
            ),
            gids: SubordinateIds::from_zero(
                &SubordinateFile::Gids.read(&owner)?,
            ),
        }
    } else {
        let (uids, gids) = (&options.map_users, &options.map_groups);
        IdMaps { uids: uids.clone(), gids: gids.clone() }
    };
    let single = if options.map_current_user {
        IdMaps::caller_is_itself(caller)
    } else if options.has_blocks() && !options.map_root_user {
        return Ok(blocks);
    } else {
        IdMaps::root_is_caller(caller)
    };
    Ok(IdMaps {
        uids: with_single(single.uids[0], &blocks.uids),
        gids: with_single(single.gids[0], &blocks.gids),
    })
}

/// Groups before the user: who is not root any more may not change them.
fn become_ids(
    (uid, gid): (Option<u32>, Option<u32>),
    setgroups: bool,
) -> Vec<Step> {
    let drop = (gid.is_some() && setgroups).then_some(Step::DropGroups);
    let steps = [drop, gid.map(Step::Setgid), uid.map(Step::Setuid)];
    steps.into_iter().flatten().collect()
}

fn has(map: &[IdMapping], id: u32) -> bool {
    map.iter().any(|mapping| mapping.has(id))
}

fn refuse_unmapped(
    option: &str,
    id: Option<u32>,
    map: &[IdMapping],
) -> Result<()> {
    match id {
        Some(id) if !has(map, id) => bail!(
            "{option} {id}: the map has no such id\n\
             hint: --map-auto, --map-users and --map-groups map more ids"
        ),
        _ => Ok(()),
    }
}
