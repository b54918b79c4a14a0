//! `ps`: the processes of a container, as the host counts them.

use crate::cli::Global;
use crate::container::Container;
use crate::id::Id;
use crate::members;
use crate::report;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use namespaces::InCall;
use nix::unistd::Pid;
use std::process::Command;

#[derive(clap::Args)]
pub(crate) struct Ps {
    /// Format of the list
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    format: Format,
    /// The container's id
    #[arg(value_name = "ID")]
    id: String,
    /// Options of ps(1) for the table; its columns must have PID among them
    #[arg(
        value_name = "PS-OPTION",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        default_value = "-ef"
    )]
    options: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// What ps(1) tells of them
    Table,
    /// An array of pids
    Json,
}

impl Ps {
    /// Prints them.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        let container =
            Container::open(&global.root()?, &Id::parse(&self.id)?)?;
        let state =
            container.state.as_ref().context("container not running")?;
        let pids: Vec<i32> =
            members::pids(state)?.into_iter().map(Pid::as_raw).collect();
        report::print(&match self.format {
            Format::Json => serde_json::to_string(&pids)? + "\n",
            Format::Table => table(&self.options, &pids)?,
        })
    }
}

fn table(options: &[String], pids: &[i32]) -> Result<String> {
    let output = Command::new("ps").args(options).output();
    let output = output.in_call(|| "execve(\"ps\", ..)".into())?;
    if !output.status.success() {
        bail!("ps: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    select(&String::from_utf8_lossy(&output.stdout), pids)
}

/// Keeps the headline, and the lines whose PID is one of these.
fn select(table: &str, pids: &[i32]) -> Result<String> {
    let headline = table.lines().next().unwrap_or_default();
    let column = headline.split_whitespace().position(|word| word == "PID");
    let column =
        column.context("ps: no column PID\nhint: add it: -o pid,..")?;
    let pid = |line: &str| line.split_whitespace().nth(column)?.parse().ok();
    let is_ours =
        |line: &&str| pid(line).is_some_and(|pid: i32| pids.contains(&pid));
    let lines = table.lines().skip(1).filter(is_ours);
    Ok([headline].into_iter().chain(lines).map(|l| format!("{l}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_other_processes_are_left_out() {
        let table = "UID PID CMD\nroot 1 init\nroot 12 sleep 1\n";
        assert_eq!(
            select(table, &[12, 99]).unwrap(),
            "UID PID CMD\nroot 12 sleep 1\n"
        );
        assert!(select("UID CMD\nroot init\n", &[1]).is_err());
    }
}
