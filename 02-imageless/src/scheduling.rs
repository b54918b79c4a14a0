//! `process.scheduler` and `process.ioPriority`: whose turn it is when more
//! want a processor, or a disk, than there are.

use anyhow::{Context, Result, bail};
use namespaces::scheduling::{self, IoClass, SchedAttr};
use nix::libc;
use oci_spec::runtime::{
    IOPriorityClass, LinuxIOPriority, LinuxSchedulerFlag, LinuxSchedulerPolicy,
    Process, Scheduler,
};

/// What is set for the process; without a configuration, what it inherits
/// stays.
#[derive(Debug)]
pub(crate) struct Turn {
    scheduler: Option<SchedAttr>,
    io_priority: Option<(IoClass, u8)>,
}

const SCHEDULER: &str = "config.json: process.scheduler";
const IO_PRIORITY: &str = "config.json: process.ioPriority";

impl Turn {
    /// Translates both fields.
    ///
    /// # Errors
    /// Names the field: a priority for a policy that has none, or out of its
    /// range.
    ///
    /// Source: runtime-spec: config.md, "Linux Process"
    pub(crate) fn plan(process: &Process) -> Result<Self> {
        let scheduler = process.scheduler().as_ref().map(scheduler);
        let io_priority = process.io_priority().as_ref().map(io_priority);
        Ok(Self {
            scheduler: scheduler.transpose().context(SCHEDULER)?,
            io_priority: io_priority.transpose().context(IO_PRIORITY)?,
        })
    }

    /// Sets both. Runs in the process, while it is still root.
    ///
    /// # Errors
    /// EPERM: more than others get, without CAP_SYS_NICE.
    ///
    /// Source: sched(7), ioprio_set(2)
    pub(crate) fn apply(&self) -> Result<()> {
        if let Some(attr) = &self.scheduler {
            scheduling::set_scheduler(attr).context(SCHEDULER)?;
        }
        if let Some((class, level)) = self.io_priority {
            scheduling::set_io_priority(class, level).context(IO_PRIORITY)?;
        }
        Ok(())
    }
}

fn scheduler(config: &Scheduler) -> Result<SchedAttr> {
    let (policy, kind) = policy(*config.policy());
    let nice = config.nice().unwrap_or(0);
    let priority = config.priority().unwrap_or(0);
    if !(-20..=19).contains(&nice) {
        bail!("nice: {nice} is not one of -20 to 19");
    }
    let priorities = match kind {
        Kind::RealTime => 1..=99,
        Kind::Ordinary | Kind::Deadline => 0..=0,
    };
    if !priorities.contains(&priority) {
        let (least, most) = priorities.into_inner();
        let name = config.policy();
        bail!("priority: {priority}: {name} takes {least} to {most}");
    }
    let times = [*config.runtime(), *config.deadline(), *config.period()];
    let [runtime, deadline, period] = times.map(Option::unwrap_or_default);
    if kind != Kind::Deadline && runtime + deadline + period > 0 {
        bail!("runtime, deadline and period: only for SCHED_DEADLINE");
    }
    let flags = config.flags().iter().flatten();
    let flags = flags.fold(0, |all, flag| all | flag_bit(*flag));
    let priority = priority.unsigned_abs();
    let attr = SchedAttr::default();
    Ok(SchedAttr {
        policy,
        flags,
        nice,
        priority,
        runtime,
        deadline,
        period,
        ..attr
    })
}

/// Which numbers a policy goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ordinary,
    RealTime,
    Deadline,
}

/// Source: sched(7), "Scheduling policies"
fn policy(policy: LinuxSchedulerPolicy) -> (u32, Kind) {
    use LinuxSchedulerPolicy::*;
    /// Reserved, and never made.
    const SCHED_ISO: i32 = 4;
    let (policy, kind) = match policy {
        SchedOther => (libc::SCHED_OTHER, Kind::Ordinary),
        SchedFifo => (libc::SCHED_FIFO, Kind::RealTime),
        SchedRr => (libc::SCHED_RR, Kind::RealTime),
        SchedBatch => (libc::SCHED_BATCH, Kind::Ordinary),
        SchedIso => (SCHED_ISO, Kind::Ordinary),
        SchedIdle => (libc::SCHED_IDLE, Kind::Ordinary),
        SchedDeadline => (libc::SCHED_DEADLINE, Kind::Deadline),
    };
    (policy.unsigned_abs(), kind)
}

fn flag_bit(flag: LinuxSchedulerFlag) -> u64 {
    use LinuxSchedulerFlag::*;
    let bit = match flag {
        SchedResetOnFork => libc::SCHED_FLAG_RESET_ON_FORK,
        SchedFlagReclaim => libc::SCHED_FLAG_RECLAIM,
        SchedFlagDLOverrun => libc::SCHED_FLAG_DL_OVERRUN,
        SchedFlagKeepPolicy => libc::SCHED_FLAG_KEEP_POLICY,
        SchedFlagKeepParams => libc::SCHED_FLAG_KEEP_PARAMS,
        SchedFlagUtilClampMin => libc::SCHED_FLAG_UTIL_CLAMP_MIN,
        SchedFlagUtilClampMax => libc::SCHED_FLAG_UTIL_CLAMP_MAX,
    };
    bit as u64
}

fn io_priority(config: &LinuxIOPriority) -> Result<(IoClass, u8)> {
    let class = match config.class() {
        IOPriorityClass::IoprioClassRt => IoClass::RealTime,
        IOPriorityClass::IoprioClassBe => IoClass::BestEffort,
        IOPriorityClass::IoprioClassIdle => IoClass::Idle,
    };
    let level = u8::try_from(config.priority()).ok().filter(|n| *n <= 7);
    let number = config.priority();
    let wrong = || format!("priority: {number} is not one of 0 to 7");
    Ok((class, level.with_context(wrong)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn error_of(field: &str, value: Value) -> String {
        let mut process = json!({"user": {}, "cwd": "/", "args": ["true"]});
        process[field] = value;
        let process = serde_json::from_value(process).unwrap();
        format!("{:#}", Turn::plan(&process).unwrap_err())
    }

    #[test]
    fn a_number_that_the_policy_does_not_take_is_named() {
        let table = [
            (
                json!({"policy": "SCHED_FIFO"}),
                "priority: 0: SCHED_FIFO takes 1",
            ),
            (
                json!({"policy": "SCHED_OTHER", "priority": 5}),
                "priority: 5: SCHED_OTHER takes 0 to 0",
            ),
            (json!({"policy": "SCHED_BATCH", "nice": 20}), "nice: 20 is not"),
            (
                json!({"policy": "SCHED_IDLE", "runtime": 1}),
                "runtime, deadline",
            ),
        ];
        for (value, start) in table {
            let error = error_of("scheduler", value);
            let start = format!("{SCHEDULER}: {start}");
            assert!(error.starts_with(&start), "{error}");
        }
        let value = json!({"class": "IOPRIO_CLASS_BE", "priority": 8});
        assert_eq!(
            error_of("ioPriority", value),
            format!("{IO_PRIORITY}: priority: 8 is not one of 0 to 7")
        );
    }
}
