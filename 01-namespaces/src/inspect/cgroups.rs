//! In which cgroups a process is, what these may use, and what they use now.

use super::answer::Answer;
use super::page::{Row, Section, row};
use super::process::{Process, shown};

use namespaces::cgroup::{
    Cgroup, CpuQuota, CpuUsage, CpuWeight, Limit, Limits, Membership, Usage,
};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Cgroups {
    #[serde(rename = "in")]
    places: Answer<Vec<Place>>,
    #[serde(flatten)]
    account: Answer<Account>,
}

/// A path, and the hierarchies in which it is that.
#[derive(Debug, Serialize)]
struct Place {
    path: String,
    /// `unified` is the one of v2.
    hierarchies: Vec<String>,
}

/// Bytes, numbers and seconds; a limit that is `null` is none.
#[derive(Debug, Serialize)]
struct Account {
    memory: Option<Amount>,
    memory_high: Option<u64>,
    swap: Option<Amount>,
    oom_kills: Option<u64>,
    pids: Option<Amount>,
    cpu_seconds: Option<f64>,
    /// Processors' worth of time; 0.5 is half of one.
    cpu_quota: Option<f64>,
    cpu_weight: Option<u64>,
    cpus: Option<String>,
}

/// What is used now, and the limit.
#[derive(Debug, Clone, Copy, Serialize)]
struct Amount {
    used: u64,
    limit: Option<u64>,
}

impl Cgroups {
    pub(super) fn read(process: &Process) -> Self {
        let name = process.name();
        let account = Cgroup::of(&name).and_then(|group| {
            Ok(Account::new(&group.usage()?, &group.limits()?))
        });
        Self {
            places: Membership::of(&name).map(places).into(),
            account: account.into(),
        }
    }

    pub(super) fn section(&self) -> Section {
        let places = |places: &Vec<Place>| {
            places.iter().map(Place::text).collect::<Vec<_>>().join(", ")
        };
        let mut rows = vec![row("in", self.places.text(places))];
        match &self.account {
            Answer::Is(account) => rows.extend(account.rows()),
            refused @ Answer::Refused { .. } => {
                rows.push(row("use", refused.text(|_| String::new())));
            }
        }
        Section { title: "cgroup".into(), rows }
    }
}

/// Puts the hierarchies with the same path together: on v1 there are many.
fn places(memberships: Vec<Membership>) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for Membership { controllers, path, .. } in memberships {
        let name = match controllers.is_empty() {
            true => "unified".into(),
            false => controllers.join(","),
        };
        let path = shown(&path);
        match places.iter_mut().find(|place| place.path == path) {
            Some(place) => place.hierarchies.push(name),
            None => places.push(Place { path, hierarchies: vec![name] }),
        }
    }
    places
}

impl Place {
    fn text(&self) -> String {
        let hierarchies = self.hierarchies.join(" ");
        format!("{} ({hierarchies})", self.path)
    }
}

impl Account {
    fn new(usage: &Usage, limits: &Limits) -> Self {
        let amount = |used, limit| Amount { used, limit: at(limit) };
        let memory = usage.memory.as_ref();
        let swap = memory.and_then(|memory| memory.swap);
        let seconds = |cpu: &CpuUsage| cpu.total.as_secs_f64();
        Self {
            memory: memory.map(|m| amount(m.current, limits.memory)),
            memory_high: at(limits.memory_high),
            swap: swap.map(|used| amount(used, limits.swap)),
            oom_kills: memory.map(|memory| memory.oom_kills),
            pids: usage.pids.map(|pids| amount(pids.current, limits.pids)),
            cpu_seconds: usage.cpu.as_ref().map(seconds),
            cpu_quota: limits.cpu_quota.and_then(processors),
            cpu_weight: limits.cpu_weight.map(CpuWeight::weight),
            cpus: limits.cpus.as_ref().map(ToString::to_string),
        }
    }

    /// What the controllers that are there say.
    fn rows(&self) -> Vec<Row> {
        let max = || "max".to_owned();
        let sizes = |amount: Amount| {
            let limit = amount.limit.map_or_else(max, size);
            format!("{} of {limit}", size(amount.used))
        };
        let numbers = |amount: Amount| {
            let limit = amount.limit.map_or_else(max, |n| n.to_string());
            format!("{} of {limit}", amount.used)
        };
        let number = |number: u64| number.to_string();
        let quota = self.cpu_quota.map_or_else(max, |n| n.to_string());
        let cpu = |used: f64| format!("{used:.2} s used, quota {quota}");
        let said = [
            ("memory", self.memory.map(sizes)),
            ("memory.high", self.memory_high.map(size)),
            ("swap", self.swap.map(sizes)),
            ("oom kills", self.oom_kills.map(number)),
            ("pids", self.pids.map(numbers)),
            ("cpu", self.cpu_seconds.map(cpu)),
            ("cpu weight", self.cpu_weight.map(number)),
            ("cpus", self.cpus.clone()),
        ];
        let there = said.into_iter();
        there.filter_map(|(key, value)| Some(row(key, value?))).collect()
    }
}

fn at(limit: Option<Limit>) -> Option<u64> {
    match limit? {
        Limit::At(number) => Some(number),
        Limit::Max => None,
    }
}

fn processors(CpuQuota { quota, period }: CpuQuota) -> Option<f64> {
    at(Some(quota)).map(|quota| quota as f64 / period as f64)
}

/// Says bytes in the largest unit that leaves a number above 1.
fn size(bytes: u64) -> String {
    let units = [(30, "G"), (20, "M"), (10, "K")];
    for (shift, unit) in units {
        let one = 1_u64 << shift;
        if bytes >= one {
            let tenths = (bytes as f64 / one as f64 * 10.0).round() / 10.0;
            return format!("{tenths}{unit}");
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_that_people_read() {
        for (bytes, text) in
            [(0, "0"), (1023, "1023"), (1536, "1.5K"), (64 << 20, "64M")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
