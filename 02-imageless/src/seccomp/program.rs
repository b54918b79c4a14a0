//! Instructions of classic BPF. Every piece of code here ends in a return on
//! each of its ways, so that no piece can fall into the one after it.

use super::condition::Condition;
use nix::libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K,
    BPF_LD, BPF_RET, BPF_W, SECCOMP_RET_KILL_PROCESS,
};

/// Instructions, each a `struct sock_filter`.
pub(crate) type Code = Vec<u64>;

/// What is answered to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The first of these whose conditions all hold.
    pub(crate) if_all: Vec<(Vec<Condition>, u32)>,
    /// If none is.
    pub(crate) otherwise: u32,
}

/// From each number up to the next the same verdict; the first number is 0.
pub(crate) type Ranges = Vec<(u32, Verdict)>;

/// One group of calls: its `AUDIT_ARCH_`, whether arguments have 64 bits below
/// and from [`Group::narrow_from`] on, and the verdicts.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) audit: u32,
    /// Calls from this number on have arguments of 32 bits.
    pub(crate) narrow_from: u32,
    pub(crate) ranges: Ranges,
}

/// A step of a condition, before it is known how far its jumps go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Load(u32),
    And(u32),
    Jump { test: u32, value: u32, yes: To, no: To },
}

/// Where a step goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    Next,
    /// The condition holds.
    Pass,
    /// The rule does not apply.
    Fail,
}

/// Loads 32 bits of what the kernel tells of a call.
///
/// Source: seccomp(2), struct seccomp_data
pub(crate) fn load(offset: u32) -> Step {
    Step::Load(offset)
}

const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

// ANCHOR: compile
/// The whole filter. Calls of an architecture that nobody listed end the
/// process: their numbers mean something else.
pub(crate) fn compile(groups: &[Group]) -> Code {
    let end = vec![give(SECCOMP_RET_KILL_PROCESS)];
    let choice = groups.iter().rev().fold(end, |others, group| {
        let mut code = vec![load_at(NUMBER)];
        code.extend(search(group, &group.ranges));
        branch(BPF_JEQ, group.audit, code, others)
    });
    [vec![load_at(ARCHITECTURE)], choice].concat()
}
// ANCHOR_END: compile

/// Halves the ranges until one is left: ten comparisons for a thousand.
fn search(group: &Group, ranges: &[(u32, Verdict)]) -> Code {
    if let [(first, verdict)] = ranges {
        return judge(verdict, *first < group.narrow_from);
    }
    let (below, above) = ranges.split_at(ranges.len() / 2);
    let from = above[0].0;
    branch(BPF_JGE, from, search(group, above), search(group, below))
}

fn judge(verdict: &Verdict, wide: bool) -> Code {
    let mut code = vec![];
    for (conditions, action) in &verdict.if_all {
        code.extend(rule(conditions, *action, wide));
    }
    code.push(give(verdict.otherwise));
    code
}

/// Falls through if a condition does not hold; its length fits into a jump: six
/// conditions of six steps.
fn rule(conditions: &[Condition], action: u32, wide: bool) -> Code {
    let steps: Vec<_> = conditions.iter().map(|c| c.steps(wide)).collect();
    let end: usize = steps.iter().map(Vec::len).sum();
    let (mut code, mut pass) = (vec![], 0);
    for condition in &steps {
        pass += condition.len();
        for step in condition {
            let here = code.len() + 1;
            let distance = |to| match to {
                To::Next => 0,
                To::Pass => (pass - here) as u8,
                To::Fail => (end + 1 - here) as u8,
            };
            code.push(match *step {
                Step::Load(offset) => load_at(offset),
                Step::And(mask) => instruction(BPF_ALU | BPF_AND, [0, 0], mask),
                Step::Jump { test, value, yes, no } => {
                    let ways = [distance(yes), distance(no)];
                    instruction(BPF_JMP | test, ways, value)
                }
            });
        }
    }
    code.push(give(action));
    code
}

/// A conditional jump reaches 255 instructions; beyond, it jumps over a long
/// one.
fn branch(test: u32, value: u32, yes: Code, no: Code) -> Code {
    let jump = match u8::try_from(no.len()) {
        Ok(length) => vec![instruction(BPF_JMP | test, [length, 0], value)],
        Err(_) => vec![
            instruction(BPF_JMP | test, [0, 1], value),
            instruction(BPF_JMP | BPF_JA, [0, 0], no.len() as u32),
        ],
    };
    [jump, no, yes].concat()
}

fn give(action: u32) -> u64 {
    instruction(BPF_RET, [0, 0], action)
}

fn load_at(offset: u32) -> u64 {
    instruction(BPF_LD | BPF_W | BPF_ABS, [0, 0], offset)
}

/// Source: linux/filter.h, struct sock_filter
fn instruction(code: u32, [yes, no]: [u8; 2], value: u32) -> u64 {
    let [c0, c1] = ((code | BPF_K) as u16).to_ne_bytes();
    let [v0, v1, v2, v3] = value.to_ne_bytes();
    u64::from_ne_bytes([c0, c1, yes, no, v0, v1, v2, v3])
}
