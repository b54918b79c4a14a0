//! `conman ps`: one line for each container.

use jiff::Timestamp;

use super::client::{Client, name_of, short};
use super::print;
use crate::cri::{Container, ContainerState, ContainerStatus};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Also those that do not run.
    #[arg(short, long)]
    all: bool,
    /// Ids only, in full.
    #[arg(short, long)]
    quiet: bool,
}

const HEADER: [&str; 5] =
    ["CONTAINER ID", "NAME", "STATUS", "CREATED", "IMAGE"];

pub(super) async fn ps(mut client: Client, args: Args) -> anyhow::Result<()> {
    let mut containers = client.containers().await?;
    containers
        .retain(|c| args.all || c.state() == ContainerState::ContainerRunning);
    if args.quiet {
        let ids: String =
            containers.iter().map(|c| format!("{}\n", c.id)).collect();
        return print(&ids);
    }
    let now = Timestamp::now();
    let mut rows = vec![HEADER.map(str::to_owned)];
    for container in &containers {
        // Err: it was removed since it was listed.
        if let Ok(status) = client.status(&container.id).await {
            rows.push(row(container, &status, now));
        }
    }
    print(&table(&rows))
}

fn row(
    container: &Container,
    status: &ContainerStatus,
    now: Timestamp,
) -> [String; 5] {
    [
        short(&container.id).to_owned(),
        name_of(container).to_owned(),
        state(status, now),
        format!("{} ago", since(container.created_at, now)),
        container.image_ref.clone(),
    ]
}

fn state(status: &ContainerStatus, now: Timestamp) -> String {
    match status.state() {
        ContainerState::ContainerCreated => "Created".to_owned(),
        ContainerState::ContainerRunning => {
            format!("Up {}", since(status.started_at, now))
        }
        ContainerState::ContainerExited => {
            let ago = since(status.finished_at, now);
            format!("Exited ({}) {ago} ago", status.exit_code)
        }
        ContainerState::ContainerUnknown => "Unknown".to_owned(),
    }
}

/// Units of time, the largest first, each from twice its length on: `90
/// seconds`, but `2 minutes`.
const UNITS: [(i64, &str); 3] =
    [(24 * 60 * 60, "days"), (60 * 60, "hours"), (60, "minutes")];

/// Says in words how long ago a time was that CRI gives in nanoseconds.
fn since(nanoseconds: i64, now: Timestamp) -> String {
    let seconds =
        now.as_second().saturating_sub(nanoseconds / 1_000_000_000).max(0);
    let unit = UNITS.iter().find(|(length, _)| seconds >= 2 * length);
    match (unit, seconds) {
        (Some((length, name)), _) => format!("{} {name}", seconds / length),
        (None, 1) => "1 second".to_owned(),
        (None, _) => format!("{seconds} seconds"),
    }
}

/// Lines the columns up, two spaces apart.
fn table(rows: &[[String; 5]]) -> String {
    let width = |column: usize| {
        rows.iter().map(|row| row[column].len()).max().unwrap_or(0)
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &[String; 5]| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_said_in_the_largest_unit_that_fits_twice() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let ago =
            |seconds: i64| since((1_000_000 - seconds) * 1_000_000_000, now);
        assert_eq!(ago(-5), "0 seconds", "a clock that was set back");
        assert_eq!(ago(1), "1 second");
        assert_eq!(ago(119), "119 seconds");
        assert_eq!(ago(120), "2 minutes");
        assert_eq!(ago(3 * 60 * 60), "3 hours");
        assert_eq!(ago(50 * 60 * 60), "2 days");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a", "b", "c", "d", "e"], ["long", "b", "c", "d", ""]]
            .map(|r| r.map(str::to_owned));
        assert_eq!(table(&rows), "a     b  c  d  e\nlong  b  c  d\n");
    }
}
