//! Limits, in the units that people use; `v1` and `v2` turn them into the files
//! and numbers of the kernel.

use std::fmt;

/// Says what a cgroup may use. `None` leaves a value as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Memory with page cache, in bytes.
    pub memory: Option<Limit>,
    /// Processes and threads.
    pub pids: Option<Limit>,
    /// Processor time.
    pub cpu_quota: Option<CpuQuota>,
    /// Share of the processor when there is not enough of it: 2 to 262144,
    /// normal 1024, as v1 counts.
    pub cpu_shares: Option<u64>,
}

/// Says how much: a number, or as much as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Not more than this.
    At(u64),
    /// No limit here; those of the cgroups above hold.
    Max,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(number) => number.fmt(f),
            Self::Max => f.write_str("max"),
        }
    }
}

/// Limits processor time: `quota` in every `period`, summed over all
/// processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuQuota {
    /// Microseconds of processor time.
    pub quota: Limit,
    /// Microseconds; the kernel takes 1000 to 1000000, and starts with 100000.
    pub period: u64,
}

/// A value for a file of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) controller: &'static str,
    pub(super) file: &'static str,
    pub(super) value: String,
}

impl Setting {
    pub(super) fn new(
        controller: &'static str,
        file: &'static str,
        value: impl fmt::Display,
    ) -> Self {
        Self { controller, file, value: value.to_string() }
    }
}
