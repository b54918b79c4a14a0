//! `list`: all containers below `--root`.

use crate::cli::Global;
use crate::container::Container;
use crate::id::Id;
use crate::report::{self, Report};
use anyhow::{Context, Result};
use clap::ValueEnum;
use namespaces::InCall;
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

#[derive(clap::Args)]
pub(crate) struct List {
    /// Format of the list
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    format: Format,
    /// Print only the ids
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Columns for people
    Table,
    /// An array of what `state` prints
    Json,
}

impl List {
    /// Prints them, sorted by id.
    pub(crate) fn run(self, global: &Global) -> Result<()> {
        let containers = containers(&global.root()?)?;
        let reports: Vec<Report<'_>> =
            containers.iter().map(Report::of).collect();
        let text = match (self.quiet, self.format) {
            (true, _) => reports
                .iter()
                .map(|report| format!("{}\n", report.id))
                .collect(),
            (false, Format::Json) => {
                serde_json::to_string(&reports).context("list")? + "\n"
            }
            (false, Format::Table) => table(&reports),
        };
        report::print(&text)
    }
}

fn containers(root: &Path) -> Result<Vec<Container>> {
    let entries = match fs::read_dir(root) {
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            return Ok(Vec::new());
        }
        entries => {
            entries.in_call(|| format!("open({root:?}, O_DIRECTORY)"))?
        }
    };
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut ids: Vec<Id> =
        names.filter_map(|name| Id::parse(&name).ok()).collect();
    ids.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    // One that was deleted since it was listed is not there any more: no error.
    Ok(ids.iter().filter_map(|id| Container::open(root, id).ok()).collect())
}

fn table(reports: &[Report<'_>]) -> String {
    let width =
        reports.iter().map(|report| report.id.len()).max().unwrap_or(0).max(2);
    let mut text = format!(
        "{:width$}  {:>7}  {:8}  {:30}  {:8}  BUNDLE\n",
        "ID", "PID", "STATUS", "CREATED", "OWNER"
    );
    for report in reports {
        let Report { id, pid, status, created, owner, bundle, .. } = report;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{id:width$}  {pid:>7}  {status:8}  {created:30}  {owner:8}  {}",
            bundle.display()
        );
    }
    text
}
