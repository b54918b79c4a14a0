//! A comparison of one argument, in a machine that has 32 bits: a 64-bit value
//! is compared by its halves, the high one first.

use super::program::{Step, To, load};
use nix::libc::{BPF_JEQ, BPF_JGE, BPF_JGT};
use oci_spec::runtime::LinuxSeccompOperator::{self, *};

/// What must hold for one argument of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Which, from 0.
    pub(crate) index: u32,
    pub(crate) op: LinuxSeccompOperator,
    pub(crate) value: u64,
    /// For the masked comparison: what remains under the mask `value`.
    pub(crate) value_two: u64,
}

impl Condition {
    /// The steps that go to [`To::Pass`] or to their end if it holds, and else
    /// to [`To::Fail`]. Arguments of a program of 32 bits have a low half only.
    pub(crate) fn steps(&self, wide: bool) -> Vec<Step> {
        let offset = 16 + 8 * self.index;
        let high = |value: u64| (value >> 32) as u32;
        let low = |value: u64| value as u32;
        let mut steps = vec![];
        if wide {
            steps.push(load(offset + HIGH));
            let (value, two) = (high(self.value), high(self.value_two));
            steps.extend(compare_high(self.op, value, two));
        }
        steps.push(load(offset + LOW));
        let (value, two) = (low(self.value), low(self.value_two));
        steps.extend(compare_low(self.op, value, two));
        steps
    }
}

const HIGH: u32 = if cfg!(target_endian = "little") { 4 } else { 0 };
const LOW: u32 = 4 - HIGH;

// ANCHOR: compare_high
/// Goes on to the low half if the high one does not decide.
fn compare_high(op: LinuxSeccompOperator, value: u32, two: u32) -> Vec<Step> {
    let jump = |test, yes, no| Step::Jump { test, value, yes, no };
    match op {
        ScmpCmpEq => vec![jump(BPF_JEQ, To::Next, To::Fail)],
        ScmpCmpNe => vec![jump(BPF_JEQ, To::Next, To::Pass)],
        ScmpCmpGt | ScmpCmpGe => vec![
            jump(BPF_JGT, To::Pass, To::Next),
            jump(BPF_JEQ, To::Next, To::Fail),
        ],
        ScmpCmpLt | ScmpCmpLe => vec![
            jump(BPF_JGT, To::Fail, To::Next),
            jump(BPF_JEQ, To::Next, To::Pass),
        ],
        ScmpCmpMaskedEq => masked(value, two),
    }
}
// ANCHOR_END: compare_high

fn compare_low(op: LinuxSeccompOperator, value: u32, two: u32) -> Vec<Step> {
    let jump = |test, yes, no| vec![Step::Jump { test, value, yes, no }];
    match op {
        ScmpCmpEq => jump(BPF_JEQ, To::Next, To::Fail),
        ScmpCmpNe => jump(BPF_JEQ, To::Fail, To::Next),
        ScmpCmpGt => jump(BPF_JGT, To::Next, To::Fail),
        ScmpCmpGe => jump(BPF_JGE, To::Next, To::Fail),
        ScmpCmpLt => jump(BPF_JGE, To::Fail, To::Next),
        ScmpCmpLe => jump(BPF_JGT, To::Fail, To::Next),
        ScmpCmpMaskedEq => masked(value, two),
    }
}

fn masked(mask: u32, value: u32) -> Vec<Step> {
    let (test, yes, no) = (BPF_JEQ, To::Next, To::Fail);
    vec![Step::And(mask), Step::Jump { test, value, yes, no }]
}
