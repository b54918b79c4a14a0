//! Which process it is: its command, its parent, where it stands in the file
//! tree, and who is init for it.

use super::answer::Answer;
use super::namespaces::Machine;
use super::page::{Section, row};
use super::process::{Process, Status};
use namespaces::namespace::Namespace;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Identity {
    pid: i32,
    /// Its pid in each pid namespace from ours to its own.
    pids: Vec<u32>,
    name: String,
    command: Answer<Vec<String>>,
    parent: Option<u32>,
    /// Process 1 of its pid namespace, by the pid that we see.
    init: Option<i32>,
    executable: Answer<String>,
    root: Answer<String>,
    working_directory: Answer<String>,
}

impl Identity {
    pub(super) fn read(
        process: &Process,
        status: &Status,
        machine: &Machine,
    ) -> Self {
        let command = process.text("cmdline").map(|text| arguments(&text));
        Self {
            pid: process.pid,
            pids: status.numbers("NSpid"),
            name: status.field("Name").into(),
            command: command.into(),
            parent: status.numbers("PPid").first().copied(),
            init: init_for(process, machine),
            executable: process.link("exe").into(),
            root: process.link("root").into(),
            working_directory: process.link("cwd").into(),
        }
    }

    pub(super) fn section(&self) -> Section {
        let init = match self.init {
            Some(pid) if pid == self.pid => "itself".into(),
            Some(pid) => format!("process {pid}"),
            None => "not visible".into(),
        };
        let command = |args: &Vec<String>| match args.as_slice() {
            [] => format!("[{}]", self.name),
            some => some.join(" "),
        };
        Section {
            title: "process".into(),
            rows: vec![
                row("pid", self.pid.to_string()),
                row("pid inside", self.pid_inside()),
                row("command", self.command.text(command)),
                row(
                    "parent",
                    self.parent.map_or("?".into(), |p| p.to_string()),
                ),
                row("init", init),
                row("executable", self.executable.text(Clone::clone)),
                row("root", self.root.text(Clone::clone)),
                row("directory", self.working_directory.text(Clone::clone)),
            ],
        }
    }

    fn pid_inside(&self) -> String {
        let inside = self.pids.last().map(ToString::to_string);
        inside.unwrap_or_else(|| self.pid.to_string())
    }
}

/// Each argument ends with a zero byte. A kernel thread has none.
fn arguments(cmdline: &str) -> Vec<String> {
    cmdline.split_terminator('\0').map(Into::into).collect()
}

/// Finds who has pid 1 in the process's own pid namespace: the one that reaps
/// its orphans, and with which it ends.
fn init_for(process: &Process, machine: &Machine) -> Option<i32> {
    let members = machine.sharing(process, Namespace::Pid).ok()?;
    members.iter().map(|member| member.pid).find(|pid| {
        let pids = Status::of(*pid).map(|status| status.numbers("NSpid"));
        pids.is_ok_and(|pids| pids.last() == Some(&1))
    })
}
