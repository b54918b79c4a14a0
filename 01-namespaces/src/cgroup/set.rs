//! Writes limits: one loop over a table of files, `v1`'s or `v2`'s. A value
//! that cannot be is answered by the file's name and what it accepts.

use super::limits::{HugetlbLimit, Limits};
use super::list::NumberList;
use super::{Cgroup, Version, files, v1, v2};
use crate::error::{Result, SyscallError};
use nix::errno::Errno;
use std::path::Path;

/// One file that limits are written to. The first word of its name is the
/// controller's.
pub(super) struct Row {
    file: &'static str,
    /// What the kernel takes, for who wrote something else.
    accepts: &'static str,
    /// What to write, each with a write of its own.
    values: fn(&Limits) -> Vec<String>,
}

/// A limit that a version does not have, and what to do instead.
pub(super) struct Absent {
    /// The file that it would need, if a limit asks for it.
    pub(super) asked: fn(&Limits) -> Option<String>,
    pub(super) instead: &'static str,
}

/// A value for a file of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    file: String,
    value: String,
    accepts: &'static str,
}

impl Cgroup {
    /// Sets limits. What is not given stays as it is.
    ///
    /// # Errors
    /// ENOENT: the machine or a cgroup above has not that controller (the hint
    /// names it), or this version not that limit. EINVAL, ERANGE: not a value of
    /// that file (the hint tells what is). EBUSY: v1, and more
    /// memory is in use already. ENODEV: no such disk.
    ///
    /// Source: cgroup-v2.rst, "Controllers"; cgroups(7), "Cgroups version 1
    /// controllers"
    // ANCHOR: set
    pub fn set(&self, limits: &Limits) -> Result<()> {
        let mut left = self.settings(limits)?;
        while !left.is_empty() {
            let refused = self.write_each(&left)?;
            // Files bound each other: memory, and memory with swap; quota and
            // period. Which has to go first depends on what they hold. So what
            // was refused gets another turn, if something else was taken.
            match refused.first() {
                Some((_, error)) if refused.len() == left.len() => {
                    return Err(error.clone());
                }
                _ => left = refused.into_iter().map(|(s, _)| s).collect(),
            }
        }
        Ok(())
    }
    // ANCHOR_END: set

    /// Lists the system calls that [`Cgroup::create`] and [`Cgroup::set`] would
    /// make on this machine.
    ///
    /// # Errors
    /// ENOENT: no cgroups mounted, or not the controller of a limit. EINVAL: as
    /// of [`Cgroup::set`], as far as it can be known before.
    pub fn plan(path: &Path, limits: &Limits) -> Result<Vec<String>> {
        let cgroup = Self::open(path)?;
        let mkdir = |path: &Path| format!("mkdir({path:?})");
        let mut calls: Vec<_> = cgroup.paths().into_iter().map(mkdir).collect();
        for setting in cgroup.settings(limits)? {
            let path = cgroup.file(setting.controller(), &setting.file)?;
            calls.push(format!("write({path:?}, {:?})", setting.value));
        }
        Ok(calls)
    }

    /// Lists what is to be written, after a look at what cannot be.
    fn settings(&self, limits: &Limits) -> Result<Vec<Setting>> {
        let (rows, absent) = match self.version {
            Version::V1 => (v1::ROWS, v1::ABSENT),
            Version::V2 => (v2::ROWS, v2::ABSENT),
        };
        if let Some((file, instead)) = absent
            .iter()
            .find_map(|row| Some(((row.asked)(limits)?, row.instead)))
        {
            let call = format!("open({file:?})");
            return Err(SyscallError::new(call, Errno::ENOENT).hint(instead));
        }
        let hugetlb = limits.hugetlb.iter().map(|l| self.hugetlb_setting(l));
        let unified = limits.unified.iter().flat_map(|(file, value)| {
            value.lines().map(move |line| unified_setting(file, line))
        });
        let mut settings: Vec<_> =
            rows.iter().flat_map(|row| row.settings(limits)).collect();
        settings.extend(hugetlb);
        settings.extend(unified);
        settings.iter().try_for_each(|setting| self.check(setting))?;
        Ok(settings)
    }

    /// Gives back what was refused for its value.
    fn write_each(
        &self,
        settings: &[Setting],
    ) -> Result<Vec<(Setting, SyscallError)>> {
        let mut refused = Vec::new();
        for setting in settings {
            match self.write(setting) {
                Ok(()) => {}
                Err(error) if error.errno == Errno::EINVAL => {
                    refused.push((setting.clone(), error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(refused)
    }

    fn write(&self, setting: &Setting) -> Result<()> {
        let path = self.file(setting.controller(), &setting.file)?;
        files::write(&path, &setting.value)
            .map_err(|error| self.explain(error, setting))
    }

    fn hugetlb_setting(&self, limit: &HugetlbLimit) -> Setting {
        let names = ("limit_in_bytes", "max");
        let name = self.version.pick(names);
        Setting {
            file: format!("hugetlb.{}.{name}", limit.page_size),
            value: match self.version {
                Version::V1 => v1::minus_one_for_max(limit.limit),
                Version::V2 => limit.limit.to_string(),
            },
            accepts: "bytes; page sizes: see /sys/kernel/mm/hugepages",
        }
    }

    /// Refuses what the kernel would take, to nobody's use: memory for less
    /// than a page, a processor that is not there (v2 falls back to all).
    fn check(&self, setting: &Setting) -> Result<()> {
        let Setting { file, value, .. } = setting;
        let refuse = |accepts: String| {
            let call = format!("write({file:?}, {value:?})");
            let error = SyscallError::new(call, Errno::EINVAL);
            Err(error.hint(format!("{file} accepts {accepts}")))
        };
        if file.contains('/') || !file.contains('.') || is_core_file(file) {
            return refuse("nothing: not a file of a controller".into());
        }
        match file.as_str() {
            "memory.max" | "memory.limit_in_bytes" => {
                let less = |bytes: u64| bytes < page_size();
                match value.parse().is_ok_and(less) {
                    true => refuse(format!("{} bytes or more", page_size())),
                    false => Ok(()),
                }
            }
            "cpuset.cpus" | "cpuset.mems" => {
                let asked: Option<NumberList> = value.parse().ok();
                let there = self.cpuset_above(file);
                match asked.zip(there) {
                    Some((asked, there)) if !asked.is_within(&there) => {
                        refuse(there.to_string())
                    }
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Reads what the cgroup above may use. `None`: the controller is not
    /// there, which the write will tell.
    fn cpuset_above(&self, file: &str) -> Option<NumberList> {
        let name = match (self.version, file) {
            (Version::V1, "cpuset.cpus") => "cpuset.effective_cpus",
            (Version::V1, _) => "cpuset.effective_mems",
            (Version::V2, "cpuset.cpus") => "cpuset.cpus.effective",
            (Version::V2, _) => "cpuset.mems.effective",
        };
        let dirs = self.path_of("cpuset")?.ancestors().skip(1);
        let text = dirs.map(|dir| dir.join(name)).find(|path| path.exists());
        files::read(&text?).ok()?.parse().ok()
    }

    /// Says why a file is not there, and how to come by it.
    fn why_missing(&self, controller: &str, file: &str) -> String {
        match (self.version, file) {
            (Version::V2, _) => {
                v2::why_missing(&self.mount, &self.dirs[0].path, controller)
            }
            (Version::V1, "blkio.bfq.weight") => {
                "cgroup v1 gives weights by the I/O scheduler BFQ only: see \
                 /sys/block/DISK/queue/scheduler"
                    .into()
            }
            (Version::V1, "memory.memsw.limit_in_bytes") => {
                "this kernel does not count swap: boot it with swapaccount=1"
                    .into()
            }
            (Version::V1, _) => {
                format!("this kernel's {controller} controller has no {file}")
            }
        }
    }

    fn explain(&self, error: SyscallError, setting: &Setting) -> SyscallError {
        let Setting { file, accepts, .. } = setting;
        let controller = setting.controller();
        match error.errno {
            Errno::ENOENT => error.hint(self.why_missing(controller, file)),
            Errno::EINVAL | Errno::ERANGE | Errno::ENODEV => {
                error.hint(format!("{file} accepts {accepts}"))
            }
            Errno::EBUSY if controller == "memory" => error.hint(format!(
                "{file} accepts what is in use or more: the processes cannot \
                 give memory back"
            )),
            _ => files::explain(error),
        }
    }
}

impl Setting {
    fn controller(&self) -> &str {
        self.file.split('.').next().unwrap_or_default()
    }
}

impl Row {
    pub(super) const fn new(
        file: &'static str,
        accepts: &'static str,
        values: fn(&Limits) -> Vec<String>,
    ) -> Self {
        Self { file, accepts, values }
    }

    fn settings(&self, limits: &Limits) -> impl Iterator<Item = Setting> {
        (self.values)(limits).into_iter().map(|value| Setting {
            file: self.file.into(),
            value,
            accepts: self.accepts,
        })
    }
}

/// The runtime-spec lets a configuration name a file of v2 itself.
///
/// Source: runtime-spec: config-linux.md, "Unified"
fn unified_setting(file: &str, value: &str) -> Setting {
    Setting {
        file: file.into(),
        value: value.into(),
        accepts: "what cgroup-v2.rst says of it",
    }
}

/// The files of the cgroup itself move, kill and freeze processes: no limits,
/// but for the two that say how many cgroups may be below.
fn is_core_file(file: &str) -> bool {
    file.starts_with("cgroup.") && !file.starts_with("cgroup.max.")
}

fn page_size() -> u64 {
    use nix::unistd::{SysconfVar, sysconf};
    let size = sysconf(SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or(4096)
}
