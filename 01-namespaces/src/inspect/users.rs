//! Who a process is: its ids, as we see them, and what its user namespace makes
//! of the ids inside.

use super::answer::Answer;
use super::page::{Section, row};
use super::process::{Process, Status};
use namespaces::Result;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Users {
    uid: Ids,
    gid: Ids,
    groups: Vec<u32>,
    uid_map: Answer<Vec<Range>>,
    gid_map: Answer<Vec<Range>>,
    /// Whether setgroups(2) is allowed in its user namespace.
    setgroups: Answer<String>,
}

/// The four ids of one kind; the last decides about files.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Ids {
    real: u32,
    effective: u32,
    saved: u32,
    filesystem: u32,
}

/// A line of a map. `outside` is counted in our user namespace, or, if the
/// process is in ours, in the one above.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Range {
    inside: u32,
    outside: u32,
    count: u32,
}

impl Users {
    pub(super) fn read(process: &Process, status: &Status) -> Self {
        let setgroups = process.text("setgroups");
        Self {
            uid: Ids::of(status, "Uid"),
            gid: Ids::of(status, "Gid"),
            groups: status.numbers("Groups"),
            uid_map: map(process.text("uid_map")).into(),
            gid_map: map(process.text("gid_map")).into(),
            setgroups: setgroups.map(|text| text.trim().into()).into(),
        }
    }

    pub(super) fn section(&self) -> Section {
        let groups: Vec<_> =
            self.groups.iter().map(ToString::to_string).collect();
        let map = |map: &Vec<Range>| match map.as_slice() {
            [] => "nobody is anybody".into(),
            some => some.iter().map(Range::text).collect::<Vec<_>>().join(", "),
        };
        Section {
            title: "ids".into(),
            rows: vec![
                row("user", self.uid.text()),
                row("group", self.gid.text()),
                row("groups", listed(&groups)),
                row("uid_map", self.uid_map.text(map)),
                row("gid_map", self.gid_map.text(map)),
                row("setgroups", self.setgroups.text(Clone::clone)),
            ],
        }
    }
}

fn listed(groups: &[String]) -> String {
    match groups {
        [] => "none".into(),
        some => some.join(", "),
    }
}

impl Ids {
    fn of(status: &Status, field: &str) -> Self {
        let numbers = status.numbers(field);
        let number = |at: usize| numbers.get(at).copied().unwrap_or_default();
        Self {
            real: number(0),
            effective: number(1),
            saved: number(2),
            filesystem: number(3),
        }
    }

    fn text(&self) -> String {
        let Self { real, effective, saved, filesystem } = self;
        match [effective, saved, filesystem].iter().all(|id| *id == real) {
            true => real.to_string(),
            false => format!(
                "{real}, effective {effective}, saved {saved}, file system \
                 {filesystem}"
            ),
        }
    }
}

/// `INSIDE OUTSIDE COUNT`, a line each.
fn map(text: Result<String>) -> Result<Vec<Range>> {
    let range = |line: &str| {
        let mut words = line.split_whitespace().map(str::parse);
        let mut word = || words.next()?.ok();
        Some(Range { inside: word()?, outside: word()?, count: word()? })
    };
    Ok(text?.lines().filter_map(range).collect())
}

impl Range {
    fn text(&self) -> String {
        let Self { inside, outside, count } = *self;
        let to = |first: u32| first.saturating_add(count.saturating_sub(1));
        match (inside == outside, count) {
            (true, u32::MAX) => "every id is itself".into(),
            (_, 1) => format!("{inside} is {outside}"),
            _ => {
                format!("{inside}-{} is {outside}-{}", to(inside), to(outside))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_told_as_what_each_id_is_outside() {
        let text = "0 1000 1\n1 100000 65536\n".to_owned();
        let said: Vec<_> =
            map(Ok(text)).unwrap().iter().map(Range::text).collect();
        assert_eq!(said, ["0 is 1000", "1-65536 is 100000-165535"]);
        let text = "         0          0 4294967295\n".to_owned();
        assert_eq!(map(Ok(text)).unwrap()[0].text(), "every id is itself");
    }
}
