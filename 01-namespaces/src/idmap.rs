//! Id maps: what a uid or gid inside a user namespace is outside of it. A user
//! namespace without a map knows nobody (everybody is 65534), so nothing useful
//! can be done in it.

use crate::error::{InCall, Result, SyscallError};
use nix::errno::Errno;
use nix::unistd::{Pid, getegid, geteuid};
use std::fmt;

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
    pub fn single(inside: u32, outside: u32) -> Self {
        Self { inside, outside, count: 1 }
    }
}

impl fmt::Display for IdMapping {
    /// Prints the line as the kernel reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.inside, self.outside, self.count)
    }
}

/// Says whether processes in the namespace may call setgroups(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setgroups {
    /// They may, which only root can grant.
    Allow,
    /// They may not, for ever.
    Deny,
}

impl Setgroups {
    /// Gives what the caller may write: an ordinary user has to deny.
    pub fn for_caller() -> Self {
        if geteuid().is_root() { Self::Allow } else { Self::Deny }
    }
}

/// Holds the maps of a user namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IdMaps {
    /// Lines of `/proc/PID/uid_map`.
    pub uids: Vec<IdMapping>,
    /// Lines of `/proc/PID/gid_map`.
    pub gids: Vec<IdMapping>,
}

impl IdMaps {
    /// Makes the caller root inside, and knows nobody else. The only map that
    /// an ordinary user may write without help.
    pub fn root_is_caller() -> Self {
        Self {
            uids: vec![IdMapping::single(0, geteuid().as_raw())],
            gids: vec![IdMapping::single(0, getegid().as_raw())],
        }
    }

    /// Lists the files to write for a process, with their contents, in the
    /// order that the kernel asks for.
    ///
    /// An ordinary user has to give up setgroups(2) before it writes `gid_map`:
    /// otherwise a process could drop a group that *denies* it something
    /// (CVE-2014-8989).
    pub fn plan(
        &self,
        pid: &str,
        setgroups: Setgroups,
    ) -> Vec<(String, String)> {
        let file = |name| format!("/proc/{pid}/{name}");
        let lines = |map: &[IdMapping]| {
            map.iter().map(|m| format!("{m}\n")).collect::<String>()
        };
        let deny = (setgroups == Setgroups::Deny)
            .then(|| (file("setgroups"), "deny".into()));
        let maps = [
            (file("uid_map"), lines(&self.uids)),
            (file("gid_map"), lines(&self.gids)),
        ];
        deny.into_iter()
            .chain(maps.into_iter().filter(|(_, lines)| !lines.is_empty()))
            .collect()
    }

    /// Writes the maps of a process in a new user namespace. Runs in its
    /// parent; each map can be written once.
    ///
    /// # Errors
    /// EPERM: an ordinary user maps more than its own id, or the map was
    /// written before. EINVAL: ranges overlap.
    ///
    /// Source: user_namespaces(7)
    pub fn write(&self, pid: Pid) -> Result<()> {
        // Not here: newuidmap(1) and newgidmap(1), which write larger maps for
        // an ordinary user out of /etc/subuid.
        for (file, lines) in
            self.plan(&pid.to_string(), Setgroups::for_caller())
        {
            std::fs::write(&file, &lines)
                .in_call(|| format!("write({file:?}, {lines:?})"))
                .map_err(explain)?;
        }
        Ok(())
    }
}

fn explain(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EPERM if !geteuid().is_root() => error.hint(
            "an ordinary user may map one id, its own: more of them need \
             newuidmap(1) and a range in /etc/subuid",
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_user_gives_up_setgroups_before_it_maps_groups() {
        let maps = IdMaps {
            uids: vec![IdMapping::single(0, 1000)],
            gids: vec![IdMapping::single(0, 100)],
        };
        let files: Vec<_> = maps
            .plan("7", Setgroups::Deny)
            .into_iter()
            .map(|(file, _)| file)
            .collect();
        assert_eq!(
            files,
            ["/proc/7/setgroups", "/proc/7/uid_map", "/proc/7/gid_map"]
        );
    }

    #[test]
    fn root_keeps_setgroups_and_writes_one_line_a_range() {
        let range = IdMapping { inside: 0, outside: 100_000, count: 65_536 };
        let maps = IdMaps {
            uids: vec![range, IdMapping::single(70_000, 5)],
            gids: vec![],
        };
        let lines = "0 100000 65536\n70000 5 1\n".to_string();
        assert_eq!(
            maps.plan("7", Setgroups::Allow),
            [("/proc/7/uid_map".to_string(), lines)]
        );
    }
}
