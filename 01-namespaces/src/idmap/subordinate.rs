//! Subordinate ids: ranges of ids that root has granted to an ordinary user, to
//! be other users in its user namespaces. They are lines of /etc/subuid and
//! /etc/subgid: `NAME-OR-UID:FIRST:COUNT`.

use super::{Caller, IdMapping};
use crate::error::{InCall, Result, SyscallError};
use nix::errno::Errno;
use nix::unistd::{Uid, User};

/// One range of subordinate ids.
///
/// Source: subuid(5), subgid(5)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubordinateIds {
    /// The first id, of the outside.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl SubordinateIds {
    // ANCHOR: from_zero
    /// Maps the ids inside from 0 on to these ranges, one after the other.
    pub fn from_zero(ranges: &[Self]) -> Vec<IdMapping> {
        let mut inside = 0_u32;
        let map = ranges.iter().map(|range| {
            let (outside, count) = (range.first, range.count);
            let mapping = IdMapping { inside, outside, count };
            inside = inside.saturating_add(count);
            mapping
        });
        map.collect()
    }
    // ANCHOR_END: from_zero
}

/// Says whose ranges are looked for.
///
/// Source: subuid(5)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The login name, if the system knows one.
    pub name: Option<String>,
    /// The user id.
    pub uid: u32,
}

impl Owner {
    /// Looks up the caller's name.
    pub fn of(caller: &Caller) -> Self {
        // Not to be found is like having no name: the uid is enough.
        let user = User::from_uid(Uid::from_raw(caller.uid));
        let name = user.ok().flatten().map(|user| user.name);
        Self { name, uid: caller.uid }
    }

    /// Gives what usermod(8) and the file may call the owner.
    fn text(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.uid.to_string())
    }

    fn is(&self, field: &str) -> bool {
        self.name.as_deref() == Some(field) || field.parse() == Ok(self.uid)
    }
}

/// One of the two files.
///
/// Source: subuid(5), subgid(5)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubordinateFile {
    /// /etc/subuid
    Uids,
    /// /etc/subgid: group ids, granted to *users* as well.
    Gids,
}

impl SubordinateFile {
    fn path(self) -> &'static str {
        match self {
            Self::Uids => "/etc/subuid",
            Self::Gids => "/etc/subgid",
        }
    }

    fn usermod(self) -> &'static str {
        match self {
            Self::Uids => "--add-subuids",
            Self::Gids => "--add-subgids",
        }
    }

    /// Reads the owner's ranges; there is at least one.
    ///
    /// # Errors
    /// ENOENT, EACCES: the file is not there or not readable.
    /// EINVAL: a line of this owner is malformed.
    /// ENODATA: there is no line of this owner. The hint tells how to add one.
    ///
    /// Source: subuid(5), subgid(5)
    pub fn read(self, owner: &Owner) -> Result<Vec<SubordinateIds>> {
        let path = self.path();
        let text = std::fs::read(path).in_call(|| format!("open({path:?})"));
        let text = text.map_err(|error| match error.errno {
            Errno::ENOENT => error.hint(self.grant("", owner)),
            _ => error,
        })?;
        self.parse(&String::from_utf8_lossy(&text), owner)
    }

    /// Finds the owner's ranges in the text of the file. Lines of others may be
    /// as they like, comments too, as for newuidmap(1).
    ///
    /// # Errors
    /// EINVAL, ENODATA: as [`read`](Self::read).
    ///
    /// Source: subuid(5), subgid(5)
    pub fn parse(
        self,
        text: &str,
        owner: &Owner,
    ) -> Result<Vec<SubordinateIds>> {
        let path = self.path();
        let mut ranges = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let Some((field, range)) = line.split_once(':') else { continue };
            if !owner.is(field) {
                continue;
            }
            let call = || format!("{path}:{number}: {line:?}");
            ranges.push(parse_range(range).ok_or_else(|| {
                SyscallError::new(call(), Errno::EINVAL)
                    .hint("a line is NAME:FIRST:COUNT")
            })?);
        }
        // A grant of nothing.
        ranges.retain(|range| range.count > 0);
        if ranges.is_empty() {
            let call = format!("read({path:?}) for {}", owner.text());
            let hint = self.grant(text, owner);
            return Err(SyscallError::new(call, Errno::ENODATA).hint(hint));
        }
        Ok(ranges)
    }

    /// Says how root grants a range that nobody has yet: who shares one, shares
    /// files and processes.
    fn grant(self, text: &str, owner: &Owner) -> String {
        let range = |line: &str| parse_range(line.split_once(':')?.1);
        let ends = text.lines().filter_map(range);
        let end = ends.map(|range| range.first.saturating_add(range.count));
        let first = end.max().unwrap_or(0).max(FIRST_GRANT);
        let last = first.saturating_add(USUAL_COUNT - 1);
        let (option, user) = (self.usermod(), owner.text());
        format!("as root: usermod {option} {first}-{last} {user}")
    }
}

/// What useradd(8) gives: `SUB_UID_MIN`, `SUB_UID_COUNT` of login.defs(5).
const FIRST_GRANT: u32 = 100_000;
const USUAL_COUNT: u32 = 65_536;

fn parse_range(text: &str) -> Option<SubordinateIds> {
    let (first, count) = text.split_once(':')?;
    let (first, count) = (first.trim().parse(), count.trim().parse());
    Some(SubordinateIds { first: first.ok()?, count: count.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<SubordinateIds>> {
        let owner = Owner { name: Some("ann".into()), uid: 1000 };
        SubordinateFile::Uids.parse(text, &owner)
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn ranges_are_found_by_name_and_by_uid_in_the_order_of_the_file() {
        let text = "bob:1:2\nann:100000:65536\n1000:300000:10\nann:5:1\n";
        let firsts: Vec<_> =
            parse(text).unwrap().iter().map(|range| range.first).collect();
        assert_eq!(firsts, [100_000, 300_000, 5]);
    }

    #[test]
    fn lines_of_others_may_be_as_they_like() {
        let text = "# ann:1:1\n\nbob:x:y\nrubbish\nannabel:7:7\nann:9:1\n";
        let range = SubordinateIds { first: 9, count: 1 };
        assert_eq!(parse(text).unwrap(), [range]);
    }

    #[test]
    fn a_malformed_line_of_the_owner_is_named_by_file_and_line() {
        for line in ["ann:x:1", "ann:1", "ann:", "ann:-1:5", "ann:1:5000000000"]
        {
            let text = message(&format!("# ids\n{line}\n"));
            let start = format!("/etc/subuid:2: {line:?} = EINVAL");
            assert!(text.starts_with(&start), "{text}");
        }
    }

    #[test]
    fn without_a_range_the_hint_grants_one_that_is_free() {
        let free = "usermod --add-subuids 100000-165535 ann";
        assert!(message("ann:100000:0\n").ends_with(free));
        let next = "usermod --add-subuids 165536-231071 ann";
        assert!(message("bob:100000:65536\n").ends_with(next));
    }

    #[test]
    fn several_ranges_are_mapped_one_after_the_other() {
        let ranges = parse("ann:100000:10\nann:500:5\n").unwrap();
        let map = SubordinateIds::from_zero(&ranges);
        let lines: Vec<_> = map.iter().map(|m| m.to_string()).collect();
        assert_eq!(lines, ["0 100000 10", "10 500 5"]);
    }
}
