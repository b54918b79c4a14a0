//! What making a cgroup would write, as text, for who wants to see it first.

use super::{Cgroup, Limits};
use crate::error::Result;
use std::path::Path;

impl Cgroup {
    /// Lists the system calls that [`Cgroup::create`] and [`Cgroup::set`] would
    /// make on this machine.
    ///
    /// # Errors
    /// ENOENT: no cgroups mounted, or not the controller of a limit.
    pub fn plan(path: &Path, limits: &Limits) -> Result<Vec<String>> {
        let cgroup = Self::open(path)?;
        let mkdir = |path: &Path| format!("mkdir({path:?})");
        let mut calls: Vec<_> = cgroup.paths().into_iter().map(mkdir).collect();
        for setting in cgroup.settings(limits) {
            let path = cgroup.file(setting.controller, setting.file)?;
            calls.push(format!("write({path:?}, {:?})", setting.value));
        }
        Ok(calls)
    }
}
