//! Pressure: the time that processes lose because a resource is short. Use says
//! how much is taken; pressure says whether that hurts. A trigger announces it
//! while it happens.

use super::{Cgroup, Version, files};
use crate::error::{InCall, Result, SyscallError};
use nix::errno::Errno;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What may be short. The kernel's names: `cpu`, `memory`, `io`.
///
/// Source: psi.rst, "Pressure interface", "Linux 4.20 (2018-12)"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Processors.
    Cpu,
    /// Memory: time goes into getting it back, or back from the disk.
    Memory,
    /// Disks.
    Io,
}

/// Whose time is lost.
///
/// Source: psi.rst, "Pressure interface", "Linux 4.20 (2018-12)"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stalled {
    /// At least one process waits; others may go on.
    Some,
    /// All that have something to do wait, and nothing gets done.
    Full,
}

/// Pressure of one resource on one cgroup, or on the machine.
///
/// Source: psi.rst, "Pressure interface", "Linux 4.20 (2018-12)"
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pressure {
    /// While at least one process waited.
    pub some: Lost,
    /// While all waited. For `cpu` before Linux 5.13 (2021-06): nothing.
    pub full: Lost,
}

/// Time that was lost: shares of the last seconds in percent, and the sum.
///
/// Source: psi.rst, "Pressure interface"
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lost {
    /// Percent of the last 10 seconds.
    pub avg10: f64,
    /// Percent of the last minute.
    pub avg60: f64,
    /// Percent of the last five minutes.
    pub avg300: f64,
    /// Since the beginning.
    pub total: Duration,
}

impl Pressure {
    /// Reads the pressure on the whole machine.
    ///
    /// # Errors
    /// ENOENT, EOPNOTSUPP: a kernel without it, or booted with `psi=0`.
    ///
    /// Source: Documentation/accounting/psi.rst, "Linux 4.20 (2018-12)"
    pub fn of_machine(resource: Resource) -> Result<Self> {
        read(&machine_file(resource))
    }
}

impl Cgroup {
    /// Reads the pressure on its processes.
    ///
    /// # Errors
    /// ENOENT: v1, which knows only the machine's; or removed. EOPNOTSUPP: a
    /// kernel booted without it.
    ///
    /// Source: cgroup-v2.rst, "memory.pressure", "Linux 4.20 (2018-12)"
    pub fn pressure(&self, resource: Resource) -> Result<Pressure> {
        read(&self.pressure_file(resource)?)
    }

    /// Asks to be told when its processes lose `threshold` or more within
    /// `window`. See [`PressureWatch::of_machine`].
    ///
    /// # Errors
    /// As of [`Cgroup::pressure`] and [`PressureWatch::of_machine`].
    ///
    /// Source: psi.rst, "Cgroup2 interface", "Linux 5.2 (2019-07)"
    pub fn watch_pressure(
        &self,
        resource: Resource,
        trigger: Trigger,
    ) -> Result<PressureWatch> {
        PressureWatch::of(&self.pressure_file(resource)?, trigger)
    }

    fn pressure_file(&self, resource: Resource) -> Result<PathBuf> {
        let file = format!("{}.pressure", resource.name());
        match self.version {
            Version::V2 => Ok(self.dirs[0].path.join(file)),
            Version::V1 => {
                let call = format!("open({file:?})");
                let error = SyscallError::new(call, Errno::ENOENT);
                Err(error.hint(format!(
                    "cgroup v1 has no pressure of its own: {:?} is the whole \
                     machine's",
                    machine_file(resource)
                )))
            }
        }
    }
}

/// When to be told: lost time of `threshold` or more within `window`.
///
/// Source: psi.rst, "Monitoring for pressure thresholds"
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trigger {
    /// Whose time.
    pub stalled: Stalled,
    /// More than nothing, at most the window.
    pub threshold: Duration,
    /// 500 ms to 10 s. Without CAP_SYS_RESOURCE whole multiples of 2 s, "Linux
    /// 6.5 (2023-08)"; before, not at all.
    pub window: Duration,
}

/// Signals POLLPRI, at most once a window, while the trigger holds; POLLERR
/// when the cgroup is removed. Dropping it takes the trigger away.
///
/// Source: psi.rst, "Monitoring for pressure thresholds"
#[derive(Debug)]
pub struct PressureWatch {
    file: File,
}

impl PressureWatch {
    /// Asks to be told when processes of this machine lose time.
    ///
    /// # Errors
    /// EINVAL: not a trigger that the kernel takes. EPERM: a window that is not
    /// a multiple of 2 s needs CAP_SYS_RESOURCE. EACCES: not the owner.
    ///
    /// Source: Documentation/accounting/psi.rst, "Monitoring for pressure
    /// thresholds", "Linux 5.2 (2019-07)"
    pub fn of_machine(resource: Resource, trigger: Trigger) -> Result<Self> {
        Self::of(&machine_file(resource), trigger)
    }

    fn of(path: &Path, trigger: Trigger) -> Result<Self> {
        let mut options = std::fs::OpenOptions::new();
        let file = options.read(true).write(true).open(path);
        let file = file.in_call(|| format!("open({path:?}, O_RDWR)"))?;
        let text = trigger.text();
        // With a NUL byte at the end: the kernel puts one over the last byte.
        nix::unistd::write(&file, format!("{text}\0").as_bytes())
            .in_call(|| format!("write({path:?}, {text:?})"))
            .map_err(explain)?;
        Ok(Self { file })
    }
}

impl AsFd for PressureWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Trigger {
    fn text(&self) -> String {
        let stalled = match self.stalled {
            Stalled::Some => "some",
            Stalled::Full => "full",
        };
        let (threshold, window) = (self.threshold, self.window);
        format!("{stalled} {} {}", threshold.as_micros(), window.as_micros())
    }
}

fn explain(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EINVAL | Errno::EPERM => error.hint(
            "the window is 500 ms to 10 s, without CAP_SYS_RESOURCE 2, 4, 6, 8 \
             or 10 s; the threshold is not more than the window",
        ),
        _ => error,
    }
}

impl Resource {
    fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Io => "io",
        }
    }
}

fn machine_file(resource: Resource) -> PathBuf {
    Path::new("/proc/pressure").join(resource.name())
}

fn read(path: &Path) -> Result<Pressure> {
    let text = files::read(path)?;
    let line = |key| {
        let mut lines = text.lines();
        lines.find_map(|line| Lost::parse(line.strip_prefix(key)?))
    };
    Ok(Pressure {
        some: line("some ").unwrap_or_default(),
        full: line("full ").unwrap_or_default(),
    })
}

impl Lost {
    /// Reads `avg10=0.00 avg60=0.00 avg300=0.00 total=0`.
    fn parse(line: &str) -> Option<Self> {
        let value = |key: &str| {
            let mut words = line.split(' ');
            words.find_map(|w| w.strip_prefix(key)?.strip_prefix('='))
        };
        Some(Self {
            avg10: value("avg10")?.parse().ok()?,
            avg60: value("avg60")?.parse().ok()?,
            avg300: value("avg300")?.parse().ok()?,
            total: Duration::from_micros(value("total")?.parse().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percents_and_the_sum_is_in_microseconds() {
        let line = "avg10=1.53 avg60=0.87 avg300=0.00 total=4193";
        let lost = Lost::parse(line).unwrap();
        assert_eq!((lost.avg10, lost.avg60, lost.avg300), (1.53, 0.87, 0.0));
        assert_eq!(lost.total, Duration::from_micros(4193));
    }

    #[test]
    fn a_trigger_is_written_in_microseconds() {
        let trigger = Trigger {
            stalled: Stalled::Full,
            threshold: Duration::from_millis(150),
            window: Duration::from_secs(2),
        };
        assert_eq!(trigger.text(), "full 150000 2000000");
    }
}
