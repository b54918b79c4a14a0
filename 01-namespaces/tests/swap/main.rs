//! Swap is limited apart from memory. A program of its own: while the machine
//! has swap, the memory limits of other tests do not kill.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "../library/group.rs"]
mod group;

use group::Group;
use namespaces::cgroup::{Limit, Limits};
use std::process::Command;
use testkit::{LoopDevice, Need, Scratch, requires};

/// A loop device as swap space, until it is dropped.
struct Swap {
    device: LoopDevice,
    // Last: it looks for what the others leave behind.
    _scratch: Scratch,
}

impl Swap {
    fn on() -> Self {
        let scratch = Scratch::new();
        let device = LoopDevice::new(&scratch, 48 << 20);
        let swap = Self { device, _scratch: scratch };
        for program in ["mkswap", "swapon"] {
            assert!(swap.call(program), "{program}");
        }
        swap
    }

    fn call(&self, program: &str) -> bool {
        let mut command = Command::new(program);
        command.arg(self.device.path()).output().unwrap().status.success()
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        // In a destructor nobody can be told.
        let _ = self.call("swapoff");
    }
}

/// Holds 24 MB, with 16 MB of memory and so much swap; tells whether it could,
/// and whether it was killed.
fn hold(swap: u64) -> (bool, bool) {
    let limits = Limits {
        memory: Some(Limit::At(16 << 20)),
        swap: Some(Limit::At(swap)),
        ..Limits::default()
    };
    let mut group = Group::with(&limits);
    // tail(1) has all of it in memory, because it may be the last line.
    let held = group.run("head -c 24000000 /dev/zero | tail -n 1 | wc -c");
    let memory = group.cgroup.usage().unwrap().memory.unwrap();
    (held.contains("24000000"), memory.oom_kills > 0)
}

#[test]
fn what_does_not_fit_into_memory_is_swapped_up_to_the_limit_and_then_killed() {
    let programs = ["mkswap", "swapon", "swapoff"].map(Need::Program);
    let needs = [Need::Root, Need::LoopDevices];
    if !requires(&[&needs[..], &programs].concat()) {
        return;
    }
    let _swap = Swap::on();
    assert_eq!(hold(32 << 20), (true, false), "it fits into both");
    assert_eq!(hold(0), (false, true), "no swap for it");
    assert_eq!(hold(4 << 20), (false, true), "not enough for it");
}
