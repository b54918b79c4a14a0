//! In which namespaces a process is, whether these are the machine's own, and
//! who else is in them. Nothing in the kernel lists the members of a namespace:
//! one has to ask every process where it is.

use super::answer::Answer;
use super::page::{Section, row};
use super::process::{self, Process};
use namespaces::namespace::{Namespace, NamespaceId};
use namespaces::{InCall, Result, SyscallError};
use nix::errno::Errno::{ENOENT, ESRCH};
use serde::Serialize;
use std::fs;

/// How many members are named; of more, only the number is told.
const NAMED: usize = 3;

/// The processes that we see.
#[derive(Debug)]
pub(super) struct Machine {
    members: Vec<Member>,
    /// How many of them we may not look at.
    hidden: usize,
}

/// A process, and its namespaces.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) pid: i32,
    name: String,
    ids: Vec<(Namespace, NamespaceId)>,
}

impl Machine {
    // ANCHOR: machine
    /// Asks every process where it is.
    pub(super) fn read() -> Result<Self> {
        let mut machine = Self { members: Vec::new(), hidden: 0 };
        let proc = fs::read_dir("/proc");
        let proc = proc.in_call(|| r#"opendir("/proc")"#.into())?;
        let names = proc.filter_map(|entry| Some(entry.ok()?.file_name()));
        for pid in names.filter_map(|name| name.to_str()?.parse().ok()) {
            match Member::read(pid) {
                Ok(member) => machine.members.push(member),
                // It has ended since.
                Err(SyscallError { errno: ENOENT | ESRCH, .. }) => {}
                Err(_) => machine.hidden += 1,
            }
        }
        machine.members.sort_by_key(|member| member.pid);
        Ok(machine)
    }
    // ANCHOR_END: machine

    /// Lists who is in the namespace of a process, that one included.
    pub(super) fn sharing(
        &self,
        process: &Process,
        namespace: Namespace,
    ) -> Result<Vec<&Member>> {
        let id = NamespaceId::of(&process.name(), namespace)?;
        Ok(self.members(namespace, id))
    }

    fn members(&self, namespace: Namespace, id: NamespaceId) -> Vec<&Member> {
        let is_in = |member: &&Member| member.ids.contains(&(namespace, id));
        self.members.iter().filter(is_in).collect()
    }

    /// Gives the process that stands for the machine: 1, or else ourselves.
    fn host(&self) -> i32 {
        let ours = std::process::id() as i32;
        self.members.first().map_or(ours, |first| match first.pid {
            1 => 1,
            _ => ours,
        })
    }
}

impl Member {
    fn read(pid: i32) -> Result<Self> {
        let name = process::read(pid, "comm")?;
        let mut ids = Vec::new();
        for namespace in Namespace::all() {
            ids.push((
                namespace,
                NamespaceId::of(&pid.to_string(), namespace)?,
            ));
        }
        Ok(Self { pid, name: name.trim_end().into(), ids })
    }
}

/// The namespaces of one process.
#[derive(Debug, Serialize)]
pub(super) struct NamespacesOf {
    /// Whose namespaces are called the host's.
    host: i32,
    /// Processes that may be in any of them: we may not look.
    hidden: usize,
    all: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    #[serde(rename = "type")]
    file: &'static str,
    #[serde(flatten)]
    seen: Answer<Seen>,
}

#[derive(Debug, Serialize)]
struct Seen {
    /// The number in brackets of `readlink /proc/PID/ns/..`.
    id: u64,
    is_host: bool,
    processes: Vec<i32>,
    #[serde(skip)]
    names: Vec<String>,
}

impl NamespacesOf {
    pub(super) fn read(process: &Process, machine: &Machine) -> Self {
        let host = machine.host();
        let row = |namespace: Namespace| Row {
            file: namespace.file(),
            seen: Seen::read(process, namespace, machine, host).into(),
        };
        let all = Namespace::all().map(row).collect();
        Self { host, hidden: machine.hidden, all }
    }

    pub(super) fn section(&self) -> Section {
        let said = |one: &Row| row(one.file, one.seen.text(Seen::text));
        let mut rows: Vec<_> = self.all.iter().map(said).collect();
        if self.hidden > 0 {
            let text = format!("{} more may be in any of them", self.hidden);
            rows.push(row("not readable", text));
        }
        let host = match self.host {
            1 => "process 1",
            _ => "isolate itself, as process 1 is not readable",
        };
        let title = format!("namespaces (the host's: those of {host})");
        Section { title, rows }
    }
}

impl Seen {
    fn read(
        process: &Process,
        namespace: Namespace,
        machine: &Machine,
        host: i32,
    ) -> Result<Self> {
        let id = NamespaceId::of(&process.name(), namespace)?;
        let members = machine.members(namespace, id);
        Ok(Self {
            id: id.inode,
            is_host: id == NamespaceId::of(&host.to_string(), namespace)?,
            processes: members.iter().map(|member| member.pid).collect(),
            names: members.iter().map(|member| member.name.clone()).collect(),
        })
    }

    /// `4026531840 the host's, 92 processes`
    fn text(&self) -> String {
        let host = if self.is_host { " the host's," } else { "" };
        let who = match self.processes.len() {
            0 => "no process that we see".into(),
            1..=NAMED => {
                let pairs = self.processes.iter().zip(&self.names);
                let pairs = pairs.map(|(pid, name)| format!("{pid} {name}"));
                pairs.collect::<Vec<_>>().join(", ")
            }
            many => format!("{many} processes"),
        };
        format!("{}{host} {who}", self.id)
    }
}
