//! What a cgroup uses, and what its limits have done: three numbers that the
//! kernel counts for all of its processes together.

use super::{Cgroup, files};
use crate::error::Result;

impl Cgroup {
    /// Reads how much memory it uses, in bytes.
    ///
    /// # Errors
    /// ENOENT: no memory controller, or removed.
    ///
    /// Source: cgroup-v2.rst, "memory.current"; cgroup-v1/memory.rst
    pub fn memory_current(&self) -> Result<u64> {
        let names = ("memory.usage_in_bytes", "memory.current");
        self.read_number("memory", self.version.pick(names))
    }

    /// Reads how many processes and threads it has.
    ///
    /// # Errors
    /// ENOENT: no pids controller, or removed.
    ///
    /// Source: cgroup-v2.rst, "pids.current"; cgroup-v1/pids.rst
    pub fn pids_current(&self) -> Result<u64> {
        self.read_number("pids", "pids.current")
    }

    /// Reads how many processes the kernel has killed because the memory limit
    /// was reached.
    ///
    /// # Errors
    /// ENOENT: no memory controller, or removed.
    ///
    /// Source: cgroup-v2.rst, "memory.events", "Linux 4.13 (2017-09)"
    pub fn oom_kills(&self) -> Result<u64> {
        let names = ("memory.oom_control", "memory.events");
        let path = self.file("memory", self.version.pick(names))?;
        let text = files::read(&path)?;
        let mut lines = text.lines();
        let count = lines.find_map(|line| line.strip_prefix("oom_kill "));
        count.map_or(Ok(0), |count| files::parse(&path, count))
    }

    fn read_number(&self, controller: &str, file: &str) -> Result<u64> {
        let path = self.file(controller, file)?;
        let text = files::read(&path)
            .map_err(|error| self.explain(error, controller))?;
        files::parse(&path, &text)
    }
}
