//! The configuration's rules, each checked, and sorted by the numbers that the
//! calls have in each architecture.

use super::abi::Abi;
use super::condition::Condition;
use super::program::{Group, Verdict};
use anyhow::{Context, Result, bail};
use nix::libc;
use oci_spec::runtime::LinuxSeccompAction::{self, *};
use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompArg, LinuxSyscall};
use std::collections::BTreeMap;

/// All rules, with actions as the kernel's numbers.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    default: u32,
    calls: Vec<Rule<'a>>,
}

#[derive(Debug)]
struct Rule<'a> {
    names: &'a [String],
    action: u32,
    /// Applies if all of one of these hold; without any, always.
    alternatives: Vec<Vec<Condition>>,
}

impl<'a> Rules<'a> {
    /// Checks and translates.
    ///
    /// # Errors
    /// Names the field.
    pub(crate) fn new(seccomp: &'a LinuxSeccomp) -> Result<Self> {
        let default =
            action(seccomp.default_action(), seccomp.default_errno_ret())
                .map_err(|(field, why)| match field {
                    "action" => why.context("defaultAction"),
                    _ => why.context("defaultErrnoRet"),
                })?;
        if default == libc::SECCOMP_RET_USER_NOTIF {
            bail!(
                "defaultAction: SCMP_ACT_NOTIFY: the calls that tell the \
                 agent of the container would wait for it"
            );
        }
        let calls = seccomp.syscalls().as_deref().unwrap_or_default();
        let calls = calls.iter().enumerate().map(|(i, call)| {
            Rule::new(call).with_context(|| format!("syscalls[{i}]"))
        });
        Ok(Self { default, calls: calls.collect::<Result<_>>()? })
    }

    /// The verdicts for the calls of some ABIs that share an `AUDIT_ARCH_`, in
    /// the order of their numbers.
    pub(crate) fn group(&self, abis: &[&Abi]) -> Group {
        let mut ranges = vec![];
        for abi in abis {
            self.add_ranges(abi, &mut ranges);
        }
        // Numbers of an ABI that shares the architecture and is not listed.
        let last = abis.last().map_or(u32::MAX, |abi| abi.last);
        if let Some(beyond) = last.checked_add(1) {
            let otherwise = libc::SECCOMP_RET_KILL_PROCESS;
            ranges.push((beyond, Verdict { if_all: vec![], otherwise }));
        }
        ranges.dedup_by(|next, previous| next.1 == previous.1);
        let narrow = abis.iter().find(|abi| !abi.wide);
        Group {
            audit: abis[0].audit,
            narrow_from: narrow.map_or(u32::MAX, |abi| abi.first),
            ranges,
        }
    }

    /// A call that is newer than all that the rules name gets ENOSYS where the
    /// default forbids: programs then try the older call, as they would on the
    /// kernel for which the rules were written. So do runc and crun.
    fn add_ranges(&self, abi: &Abi, ranges: &mut Vec<(u32, Verdict)>) {
        let verdicts = self.verdicts(abi);
        let default = Verdict { if_all: vec![], otherwise: self.default };
        let mut next = abi.first;
        for (number, verdict) in verdicts {
            if number > next {
                ranges.push((next, default.clone()));
            }
            ranges.push((number, verdict));
            next = number + 1;
        }
        let unknown = match next > abi.first && forbids(self.default) {
            true => libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32,
            false => self.default,
        };
        ranges.push((next, Verdict { if_all: vec![], otherwise: unknown }));
    }

    /// By number. A name that the table does not have is a call of another
    /// architecture or of another kernel: nobody can make it here.
    fn verdicts(&self, abi: &Abi) -> BTreeMap<u32, Verdict> {
        let mut verdicts = BTreeMap::new();
        let named = self
            .calls
            .iter()
            .flat_map(|rule| rule.names.iter().map(move |name| (rule, name)));
        for (rule, name) in named {
            let Some(number) = (abi.number)(name) else { continue };
            let none = Verdict { if_all: vec![], otherwise: self.default };
            rule.add_to(verdicts.entry(number).or_insert(none), self);
        }
        verdicts
    }
}

fn forbids(action: u32) -> bool {
    !matches!(
        action & libc::SECCOMP_RET_ACTION_FULL,
        libc::SECCOMP_RET_ALLOW
            | libc::SECCOMP_RET_LOG
            | libc::SECCOMP_RET_TRACE
    )
}

impl<'a> Rule<'a> {
    fn new(call: &'a LinuxSyscall) -> Result<Self> {
        if let Some(i) = call.names().iter().position(String::is_empty) {
            bail!("names[{i}]: empty");
        }
        let action = action(call.action(), call.errno_ret())
            .map_err(|(field, why)| why.context(field))?;
        let args = call.args().as_deref().unwrap_or_default();
        let conditions = args.iter().enumerate().map(|(i, arg)| {
            condition(arg).with_context(|| format!("args[{i}]"))
        });
        let alternatives = alternatives(conditions.collect::<Result<_>>()?);
        if call.names().is_empty() {
            bail!("names: missing or empty");
        }
        Ok(Self { names: call.names(), action, alternatives })
    }

    /// A rule without conditions outweighs those that have some. One that asks
    /// for the default says nothing. Both as with libseccomp.
    fn add_to(&self, verdict: &mut Verdict, rules: &Rules<'_>) {
        if self.action == rules.default || verdict.otherwise != rules.default {
            return;
        }
        if self.alternatives.is_empty() {
            *verdict = Verdict { if_all: vec![], otherwise: self.action };
            return;
        }
        let rules = self.alternatives.iter();
        verdict.if_all.extend(rules.map(|all| (all.clone(), self.action)));
    }
}

/// Conditions on different arguments must all hold. If two speak of the same
/// argument, each stands for itself: so profiles were written before runc
/// could do anything else.
fn alternatives(conditions: Vec<Condition>) -> Vec<Vec<Condition>> {
    let speaks_twice = |c: &Condition| {
        conditions.iter().filter(|other| other.index == c.index).count() > 1
    };
    match conditions.is_empty() {
        true => vec![],
        false if conditions.iter().any(speaks_twice) => {
            conditions.into_iter().map(|c| vec![c]).collect()
        }
        false => vec![conditions],
    }
}

fn condition(arg: &LinuxSeccompArg) -> Result<Condition> {
    let index = u32::try_from(arg.index()).unwrap_or(u32::MAX);
    if index > 5 {
        bail!("index: {} is not one of 0 to 5", arg.index());
    }
    Ok(Condition {
        index,
        op: arg.op(),
        value: arg.value(),
        value_two: arg.value_two().unwrap_or(0),
    })
}

/// The largest errno that the kernel gives to a program.
const MAX_ERRNO: u32 = 4095;

/// An action as the kernel's number. An error comes with the field's name.
fn action(
    action: LinuxSeccompAction,
    errno: Option<u32>,
) -> Result<u32, (&'static str, anyhow::Error)> {
    let most = match action {
        ScmpActErrno => MAX_ERRNO,
        ScmpActTrace => u32::from(u16::MAX),
        _ => 0,
    };
    match errno {
        Some(_) if most == 0 => {
            let why = anyhow::anyhow!("{action} gives no errno");
            Err(("errnoRet", why))
        }
        Some(errno) if errno > most => {
            let why = anyhow::anyhow!("{errno} is above {most}");
            Err(("errnoRet", why))
        }
        errno => Ok(action.as_u32(errno)),
    }
}
