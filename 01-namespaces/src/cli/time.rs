//! Options of isolate(1) that set the clocks inside; those of unshare(1).

use clap::Args;
use namespaces::time::ClockOffsets;

/// How far the clocks are ahead; any of these makes a time namespace.
#[derive(Debug, Args)]
#[command(next_help_heading = "Clocks")]
pub(crate) struct TimeOptions {
    /// Seconds since boot, sleep included, are so many more (or, negative,
    /// fewer) inside: what uptime(1) shows
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    boottime: Option<i64>,
    /// Seconds of the monotonic clock, by which programs measure time
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    monotonic: Option<i64>,
}

impl TimeOptions {
    /// Gives the offsets, if any was asked for.
    pub(crate) fn offsets(&self) -> Option<ClockOffsets> {
        self.boottime.or(self.monotonic)?;
        Some(ClockOffsets {
            monotonic: self.monotonic.unwrap_or(0).into(),
            boottime: self.boottime.unwrap_or(0).into(),
        })
    }
}
