//! Time namespaces: the clocks that count from boot, set ahead or back. Who
//! moves a running process to another machine needs them: its timers would see
//! the clock jump. The clock on the wall (`CLOCK_REALTIME`) has no namespace.

use crate::error::{InCall, Result, SyscallError};
use crate::namespace::{Namespace, Namespaces, setns, unshare};
use nix::errno::Errno;
use std::fs::{File, write};
use std::os::fd::AsFd;

/// How far the clocks inside are ahead of the machine's.
///
/// Source: time_namespaces(7)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockOffsets {
    /// Of `CLOCK_MONOTONIC`: time since boot, without that spent asleep.
    pub monotonic: Offset,
    /// Of `CLOCK_BOOTTIME`, with it: what uptime(1) shows.
    pub boottime: Offset,
}

/// How far one clock is ahead; behind, if the seconds are negative.
///
/// Source: time_namespaces(7), "/proc/pid/timens_offsets"
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offset {
    /// Whole seconds.
    pub seconds: i64,
    /// And these, 0 to 999999999, always ahead.
    pub nanoseconds: u32,
}

impl From<i64> for Offset {
    fn from(seconds: i64) -> Self {
        Self { seconds, nanoseconds: 0 }
    }
}

const OFFSETS: &str = "/proc/self/timens_offsets";
const OF_CHILDREN: &str = "/proc/self/ns/time_for_children";

impl ClockOffsets {
    /// Moves the calling process into a new time namespace with these offsets.
    ///
    /// Not with [`spawn`](crate::process::spawn): what clone3(2) makes has a
    /// process in it from the beginning, and then its clocks are fixed. So it
    /// is made for our children, set, and entered by ourselves.
    ///
    /// # Errors
    /// ERANGE: a clock would be before 0, or past some 146 years. EPERM: no
    /// CAP_SYS_ADMIN here, or no CAP_SYS_TIME in the user namespace that owns
    /// it. EUSERS: this process has threads. ENOENT: the kernel has none.
    ///
    /// Source: time_namespaces(7), "Linux 5.6 (2020-03)"
    pub fn unshare(self) -> Result<()> {
        unshare(Namespaces::from_iter([Namespace::Time]))?;
        let lines = self.lines();
        write(OFFSETS, &lines)
            .in_call(|| format!("write({OFFSETS:?}, {lines:?})"))
            .map_err(explain)?;
        let children = File::open(OF_CHILDREN)
            .in_call(|| format!("open({OF_CHILDREN:?})"))?;
        setns(children.as_fd(), Namespace::Time)
    }

    /// Lists the calls that [`ClockOffsets::unshare`] makes.
    pub fn calls(self) -> Vec<String> {
        vec![
            "unshare(CLONE_NEWTIME)".into(),
            format!("write({OFFSETS:?}, {:?})", self.lines()),
            format!("setns(open({OF_CHILDREN:?}), CLONE_NEWTIME)"),
        ]
    }

    /// The file's own form: clock, seconds, nanoseconds.
    fn lines(self) -> String {
        let line = |name: &str, offset: Offset| {
            format!("{name} {} {}\n", offset.seconds, offset.nanoseconds)
        };
        line("monotonic", self.monotonic) + &line("boottime", self.boottime)
    }
}

fn explain(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::ERANGE => error.hint(
            "a clock inside can be neither before 0 (look at /proc/uptime) \
             nor past some 146 years",
        ),
        _ => error,
    }
}
