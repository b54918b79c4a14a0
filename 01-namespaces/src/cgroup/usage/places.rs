//! Where the kernel keeps the numbers of a cgroup: the same number under two
//! names, in two units, on v1 and v2.

use super::super::limits::Limit;
use super::super::{Cgroup, files};
use crate::error::Result;
use nix::errno::Errno;
use std::time::Duration;

/// Where a number stands, on v1 and on v2: the file, and the key of its line if
/// it has many.
pub(super) type Place = (&'static str, &'static str);
pub(super) type Places = (Place, Place);

pub(super) const MEMORY: Places =
    (("memory.usage_in_bytes", ""), ("memory.current", ""));
pub(super) const MEMORY_PEAK: Places =
    (("memory.max_usage_in_bytes", ""), ("memory.peak", ""));
pub(super) const MEMORY_LIMIT: Places =
    (("memory.limit_in_bytes", ""), ("memory.max", ""));
/// Only v2.
pub(super) const MEMORY_HIGH: Places = (("", ""), ("memory.high", ""));
pub(super) const MEMORY_LOW: Places =
    (("memory.soft_limit_in_bytes", ""), ("memory.low", ""));
pub(super) const SWAP_LIMIT: Places =
    (("memory.memsw.limit_in_bytes", ""), ("memory.swap.max", ""));
pub(super) const ANON: Places =
    (("memory.stat", "total_rss"), ("memory.stat", "anon"));
pub(super) const FILE: Places =
    (("memory.stat", "total_cache"), ("memory.stat", "file"));
pub(super) const SWAP: Places =
    (("memory.stat", "total_swap"), ("memory.swap.current", ""));
pub(super) const MEMORY_HITS: Places =
    (("memory.failcnt", ""), ("memory.events", "max"));
pub(super) const OOM_KILLS: Places =
    (("memory.oom_control", "oom_kill"), ("memory.events", "oom_kill"));
pub(super) const CPU: Places =
    (("cpuacct.usage", ""), ("cpu.stat", "usage_usec"));
pub(super) const CPU_USER: Places =
    (("cpuacct.usage_user", ""), ("cpu.stat", "user_usec"));
pub(super) const CPU_SYSTEM: Places =
    (("cpuacct.usage_sys", ""), ("cpu.stat", "system_usec"));
pub(super) const PERIODS: Places =
    (("cpu.stat", "nr_periods"), ("cpu.stat", "nr_periods"));
pub(super) const THROTTLED_PERIODS: Places =
    (("cpu.stat", "nr_throttled"), ("cpu.stat", "nr_throttled"));
pub(super) const THROTTLED: Places =
    (("cpu.stat", "throttled_time"), ("cpu.stat", "throttled_usec"));
pub(super) const PIDS: Places = (("pids.current", ""), ("pids.current", ""));
pub(super) const PIDS_LIMIT: Places = (("pids.max", ""), ("pids.max", ""));
pub(super) const PIDS_HITS: Places =
    (("pids.events", "max"), ("pids.events", "max"));

impl Cgroup {
    /// Reads a number. `None`: the kernel has not that file or line, or the
    /// machine not the controller.
    pub(super) fn number(&self, places: Places) -> Result<Option<u64>> {
        self.number_at(self.version.pick(places))
    }

    /// Reads a time: nanoseconds, but on v2 microseconds where the key says so.
    pub(super) fn time(&self, places: Places) -> Result<Option<Duration>> {
        let (_, key) = self.version.pick(places);
        let unit = match key.ends_with("_usec") {
            true => Duration::from_micros,
            false => Duration::from_nanos,
        };
        Ok(self.number(places)?.map(unit))
    }

    /// Reads a limit. Where there is no file, as in the root of the tree, there
    /// is none.
    pub(super) fn limit(&self, places: Places) -> Result<Limit> {
        Ok(self.limit_if_there(places)?.unwrap_or(Limit::Max))
    }

    /// Reads a limit. `None`: there is no file for it.
    pub(super) fn limit_if_there(
        &self,
        places: Places,
    ) -> Result<Option<Limit>> {
        let (file, _) = self.version.pick(places);
        let text = if file.is_empty() { None } else { self.text(file)? };
        Ok(text.and_then(|text| Limit::parse(&text)))
    }

    pub(super) fn number_at(
        &self,
        (file, key): (&str, &str),
    ) -> Result<Option<u64>> {
        let Some(text) = self.text(file)? else { return Ok(None) };
        let value = match key {
            "" => Some(text.trim()),
            key => text.lines().find_map(|line| {
                line.strip_prefix(key)?.strip_prefix(' ').map(str::trim)
            }),
        };
        Ok(value.and_then(|value| value.parse().ok()))
    }

    /// Reads a file. The first word of its name is the controller's.
    pub(super) fn text(&self, file: &str) -> Result<Option<String>> {
        let controller = file.split('.').next().unwrap_or_default();
        let Some(dir) = self.path_of(controller) else { return Ok(None) };
        match files::read(&dir.join(file)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.errno == Errno::ENOENT => Ok(None),
            // The file is there, and the kernel was built or booted without.
            Err(error) if error.errno == Errno::EOPNOTSUPP => Ok(None),
            Err(error) => Err(error),
        }
    }
}
