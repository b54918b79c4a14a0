//! Options of isolate(1) that say who the command is, inside and outside.

use anyhow::{Context, Result, bail};
use clap::Args;
use namespaces::idmap::IdMapping;

/// Id maps and ids. Without a map option, a new user namespace maps root inside
/// to you.
#[derive(Debug, Args)]
#[command(next_help_heading = "Users")]
pub(crate) struct UserOptions {
    /// Be root inside, as with --user alone
    #[arg(short = 'r', long, conflicts_with = "map_current_user")]
    pub(crate) map_root_user: bool,
    /// Be yourself inside
    #[arg(short = 'c', long)]
    pub(crate) map_current_user: bool,
    /// Have your subordinate ids (/etc/subuid, /etc/subgid) too, from 0 on
    #[arg(long, conflicts_with_all = ["map_users", "map_groups"])]
    pub(crate) map_auto: bool,
    /// Map a block of user ids; repeat it for more
    #[arg(long, value_name = "INSIDE:OUTSIDE:COUNT", value_parser = block)]
    pub(crate) map_users: Vec<IdMapping>,
    /// Map a block of group ids; repeat it for more
    #[arg(long, value_name = "INSIDE:OUTSIDE:COUNT", value_parser = block)]
    pub(crate) map_groups: Vec<IdMapping>,
    /// User id of the command
    #[arg(short = 'S', long, value_name = "UID")]
    pub(crate) setuid: Option<u32>,
    /// Group id of the command; gives up all other groups
    #[arg(short = 'G', long, value_name = "GID")]
    pub(crate) setgid: Option<u32>,
}

impl UserOptions {
    /// Tells whether one of them needs a user namespace.
    pub(crate) fn needs_user_namespace(&self) -> bool {
        self.map_root_user
            || self.map_current_user
            || self.map_auto
            || self.has_blocks()
    }

    /// Tells whether blocks of ids were given by number.
    pub(crate) fn has_blocks(&self) -> bool {
        !self.map_users.is_empty() || !self.map_groups.is_empty()
    }
}

/// Reads a block in the order of `/proc/PID/uid_map`, as unshare(1) does since
/// util-linux 2.39 (2023-05). With commas, as before, it is
/// OUTSIDE,INSIDE,COUNT.
fn block(text: &str) -> Result<IdMapping> {
    let separator = if text.contains(',') { ',' } else { ':' };
    let ids: Result<Vec<u32>, _> =
        text.split(separator).map(str::parse).collect();
    let ids = ids.context("not INSIDE:OUTSIDE:COUNT")?;
    match (separator, ids.as_slice()) {
        (':', &[inside, outside, count]) | (',', &[outside, inside, count]) => {
            Ok(IdMapping { inside, outside, count })
        }
        _ => bail!("not INSIDE:OUTSIDE:COUNT"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_in_the_order_of_uid_map() {
        assert_eq!(block("1:100000:7").unwrap().to_string(), "1 100000 7");
    }

    #[test]
    fn with_commas_the_outside_comes_first_as_in_older_unshare() {
        assert_eq!(block("100000,1,7").unwrap().to_string(), "1 100000 7");
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for bad in
            ["", "1", "1:2", "1:2:3:4", "a:2:3", "-1:2:3", "1:2:5000000000"]
        {
            assert!(block(bad).is_err(), "{bad:?}");
        }
    }
}
