//! Id maps: what a uid or gid inside a user namespace is outside of it. A user
//! namespace without a map knows nobody (everybody is 65534), so nothing useful
//! can be done in it.

mod caller;
mod fault;
mod subordinate;
mod write;

use std::fmt;

pub use caller::{Caller, in_first_user_namespace};
pub use fault::fault;
pub use subordinate::{Owner, SubordinateFile, SubordinateIds};
pub use write::MapStep;

/// Maps `count` ids from `inside` on to the ids from `outside` on.
///
/// Source: user_namespaces(7), "User and group ID mappings"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdMapping {
    /// The first id as the namespace sees it.
    pub inside: u32,
    /// The first id as the parent namespace sees it.
    pub outside: u32,
    /// How many ids.
    pub count: u32,
}

impl IdMapping {
    /// Maps a single id.
    pub const fn single(inside: u32, outside: u32) -> Self {
        Self { inside, outside, count: 1 }
    }

    /// Tells whether an id inside is one of these.
    pub fn has(&self, inside: u32) -> bool {
        inside.checked_sub(self.inside).is_some_and(|n| n < self.count)
    }

    /// Divides after the first `n` ids, each part with the ids it had.
    fn split(self, n: u32) -> [Self; 2] {
        let rest = |id: u32| id.saturating_add(n);
        [
            Self { count: n, ..self },
            Self {
                inside: rest(self.inside),
                outside: rest(self.outside),
                count: self.count - n,
            },
        ]
    }
}

impl fmt::Display for IdMapping {
    /// Prints the line as the kernel reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.inside, self.outside, self.count)
    }
}

/// Holds the maps of a user namespace.
///
/// Source: user_namespaces(7), "User and group ID mappings: uid_map and
/// gid_map"
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdMaps {
    /// Lines of `/proc/PID/uid_map`.
    pub uids: Vec<IdMapping>,
    /// Lines of `/proc/PID/gid_map`.
    pub gids: Vec<IdMapping>,
}

impl IdMaps {
    /// Makes the caller root inside, and knows nobody else. With
    /// [`caller_is_itself`](Self::caller_is_itself) the only map that an
    /// ordinary user may write without help.
    pub fn root_is_caller(caller: &Caller) -> Self {
        Self {
            uids: vec![IdMapping::single(0, caller.uid)],
            gids: vec![IdMapping::single(0, caller.gid)],
        }
    }

    /// Leaves the caller who it is, and knows nobody else.
    pub fn caller_is_itself(caller: &Caller) -> Self {
        Self {
            uids: vec![IdMapping::single(caller.uid, caller.uid)],
            gids: vec![IdMapping::single(caller.gid, caller.gid)],
        }
    }

    /// Tells whether a map has this uid of the outside in it. Who is not in the
    /// map is nobody (65534) inside, and can own no file.
    pub fn knows(&self, caller: &Caller) -> bool {
        self.uids.iter().any(|m| {
            let at = caller.uid.checked_sub(m.outside);
            at.is_some_and(|n| n < m.count)
        })
    }
}

// ANCHOR: with_single
/// Puts a single id into a map of blocks. Where a block has that id inside, it
/// is divided, and what follows moves up by one, so that no id of the outside
/// is left out but the last.
///
/// Source: unshare(1), `--map-root-user --map-auto`
pub fn with_single(single: IdMapping, blocks: &[IdMapping]) -> Vec<IdMapping> {
    let around = |block: &IdMapping| {
        if !block.has(single.inside) {
            return vec![*block];
        }
        let [before, after] = block.split(single.inside - block.inside);
        let [_, room] = after.split(1);
        vec![before, IdMapping { outside: after.outside, ..room }]
    };
    let blocks = blocks.iter().flat_map(around);
    let blocks = blocks.filter(|block| block.count > 0);
    [single].into_iter().chain(blocks).collect()
}
// ANCHOR_END: with_single

#[cfg(test)]
mod tests {
    use super::*;

    fn block(inside: u32, outside: u32, count: u32) -> IdMapping {
        IdMapping { inside, outside, count }
    }

    #[test]
    fn the_caller_as_root_stands_before_its_subordinate_ids() {
        let caller = IdMapping::single(0, 1000);
        let map = with_single(caller, &[block(0, 100_000, 65_536)]);
        assert_eq!(map, [caller, block(1, 100_000, 65_535)]);
    }

    #[test]
    fn the_caller_as_itself_divides_a_block() {
        let caller = IdMapping::single(500, 500);
        let map = with_single(caller, &[block(0, 100_000, 1000)]);
        let expected =
            [caller, block(0, 100_000, 500), block(501, 100_500, 499)];
        assert_eq!(map, expected);
    }

    #[test]
    fn a_block_that_does_not_have_the_id_stays_as_it_is() {
        let caller = IdMapping::single(4242, 4242);
        let map = with_single(caller, &[block(0, 100_000, 1000)]);
        assert_eq!(map, [caller, block(0, 100_000, 1000)]);
    }
}
