//! Waiting in tests, in one place and with a deadline.

use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

/// Time between two looks: short beside any deadline, long beside the cost of a
/// look.
const INTERVAL: Duration = Duration::from_millis(5);

/// Looks again and again until `look` returns a value, and returns it.
///
/// The only place that polls. Programs of this project wait for events (pidfd,
/// pipe, inotify); a test is the outside observer of facts that announce
/// nothing to strangers, such as a file of another process or its state.
///
/// # Panics
/// After `deadline`, with `what` as the thing that did not happen.
pub fn eventually<T>(
    deadline: Duration,
    what: &str,
    look: impl FnMut() -> Option<T>,
) -> T {
    within(deadline, look)
        .unwrap_or_else(|| panic!("not within {deadline:?}: {what}"))
}

/// Makes this test process adopt orphaned descendants, once, so that they do
/// not wait for the machine's init.
///
/// The attribute belongs to the process, so all tests of the same binary share
/// it. Wait for adopted children by their pid: waiting for any child (-1) takes
/// those of tests in other threads.
///
/// Source: `PR_SET_CHILD_SUBREAPER(2const)`, Linux 3.4 (2012-05).
pub fn subreaper() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        nix::sys::prctl::set_child_subreaper(true)
            .expect("fails only on kernels before 3.4");
    });
}

pub(crate) fn within<T>(
    deadline: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(value) = look() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(INTERVAL);
    }
}
