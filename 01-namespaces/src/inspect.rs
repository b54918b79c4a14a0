//! `isolate inspect PID [PID]`: all that makes a process a container, or does
//! not, on one page: what it sees, who it is, what it may do, how much it may
//! use. One file a topic; each reads, and says what it has read in rows.

mod answer;
mod cgroups;
mod identity;
mod mounts;
mod namespaces;
mod page;
mod process;
mod rights;
mod side_by_side;
mod users;

use crate::output;
use anyhow::{Context, Result};
use clap::Args;
use page::Section;
use process::Process;
use serde::Serialize;

use self::namespaces::{Machine, NamespacesOf};

/// Tells what isolates a process, or in what two of them differ
///
/// What you may not read says so, and the rest is told. A process is compared
/// with process 1; without the right to look at that, with isolate itself.
#[derive(Debug, Args)]
pub(crate) struct InspectOptions {
    /// Print an array of JSON objects, one for each process
    #[arg(long)]
    json: bool,
    /// One process, or two to see side by side as sdiff(1) shows files
    #[arg(value_name = "PID", required = true, num_args = 1..=2)]
    #[arg(value_parser = pid)]
    pids: Vec<i32>,
}

fn pid(text: &str) -> Result<i32> {
    let pid = text.parse().ok().filter(|pid| *pid > 0);
    pid.context("not the number of a process")
}

/// All that is read of one process.
#[derive(Debug, Serialize)]
struct Inspection {
    #[serde(flatten)]
    identity: identity::Identity,
    namespaces: NamespacesOf,
    #[serde(flatten)]
    users: users::Users,
    #[serde(flatten)]
    rights: rights::Rights,
    cgroups: cgroups::Cgroups,
    mounts: mounts::Mounts,
}

/// Reads first, and prints when all of it is there.
pub(crate) fn inspect(options: &InspectOptions) -> Result<u8> {
    let machine = Machine::read()?;
    let read = |pid: &i32| Inspection::of(*pid, &machine);
    let read: Vec<_> = options.pids.iter().map(read).collect::<Result<_>>()?;
    let text = match &read[..] {
        all if options.json => {
            serde_json::to_string_pretty(all).context("JSON")? + "\n"
        }
        [one, other] => side_by_side::print(&one.sections(), &other.sections()),
        some => some.iter().map(|one| page::print(&one.sections())).collect(),
    };
    output::answer(&text)?;
    Ok(0)
}

impl Inspection {
    // ANCHOR: of
    fn of(pid: i32, machine: &Machine) -> Result<Self> {
        let process = Process::open(pid)?;
        let status = process.status()?;
        let namespaces = NamespacesOf::read(&process, machine);
        let inspection = Self {
            identity: identity::Identity::read(&process, &status, machine),
            namespaces,
            users: users::Users::read(&process, &status),
            rights: rights::Rights::read(&status),
            cgroups: cgroups::Cgroups::read(&process),
            mounts: mounts::Mounts::read(&process),
        };
        process.refuse_if_ended()?;
        Ok(inspection)
    }
    // ANCHOR_END: of

    fn sections(&self) -> Vec<Section> {
        vec![
            self.identity.section(),
            self.namespaces.section(),
            self.users.section(),
            self.rights.section(),
            self.cgroups.section(),
            self.mounts.section(),
        ]
    }
}
