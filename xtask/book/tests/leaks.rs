//! After a chapter the machine is as before: what stays is named, fails the chapter, and is removed.
//!
//! Tests whose name ends in `as_root` need root; without it they say so and do not count.

mod fixture;

use fixture::{Fixture, Said};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use testkit::{Need, requires};

fn test(blocks: &str) -> Said {
    Fixture::new(blocks).run(&["test"])
}

fn leaves_behind(blocks: &str, what: &str) {
    let said = test(blocks);
    assert!(!said.ok && said.text.contains("leaves behind: "), "{}", said.text);
    assert!(said.text.contains(what), "wanted {what:?}:\n{}", said.text);
}

/// Root, and no other test that changes the machine at this moment.
fn root_alone() -> Option<MutexGuard<'static, ()>> {
    static ALONE: Mutex<()> = Mutex::new(());
    requires(&[Need::Root])
        .then(|| ALONE.lock().unwrap_or_else(PoisonError::into_inner))
}

#[test]
fn a_background_job_that_is_left_running_is_a_leak_and_is_ended() {
    let said = test(
        "```console\n$ sleep 4321.5 &\n[1] 4242\n$ echo $! > /dev/null\n```\n",
    );
    assert!(
        !said.ok && said.text.contains("leaves behind: process"),
        "{}",
        said.text
    );
    assert!(said.text.contains("(sleep)"), "{}", said.text);
    assert!(!is_running("4321.5"), "the leaked process still runs");
}

#[test]
fn a_daemon_that_left_its_session_is_a_leak_too() {
    let said = test("```console\n$ setsid -f sleep 4322.5\n```\n");
    assert!(!said.ok && said.text.contains("(sleep)"), "{}", said.text);
    assert!(!is_running("4322.5"), "the leaked process still runs");
}

#[test]
fn a_mount_that_stays_is_a_leak_and_is_removed_as_root() {
    let Some(_alone) = root_alone() else { return };
    let page = "```console\n# mkdir m; mount -t tmpfs book-leak m\n```\n";
    leaves_behind(page, "mount on /tmp/book.");
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("procfs");
    assert!(!mounts.contains("book-leak"), "{mounts}");
}

#[test]
fn a_mount_that_the_page_takes_away_is_no_leak_as_root() {
    let Some(_alone) = root_alone() else { return };
    let said =
        test("```console\n# mkdir m; mount -t tmpfs none m\n# umount m\n```\n");
    assert!(said.ok, "{}", said.text);
}

#[test]
fn a_cgroup_that_stays_is_a_leak_and_is_removed_as_root() {
    let Some(_alone) = root_alone() else { return };
    let unified = Path::new("/sys/fs/cgroup/unified");
    let top =
        if unified.is_dir() { unified } else { Path::new("/sys/fs/cgroup") };
    let leak = top.join(format!("book-leak-{}", std::process::id()));
    leaves_behind(
        &format!("```console\n# mkdir {}\n```\n", leak.display()),
        "cgroup /sys/fs",
    );
    assert!(!leak.exists(), "{} is still there", leak.display());
}

#[test]
fn a_chapter_that_fails_half_way_is_cleaned_up_as_root() {
    let Some(_alone) = root_alone() else { return };
    let page = "```console\n# mkdir m; mount -t tmpfs book-half m\n# sleep 4323.5 &\n[1] 4242\n# false\n```\n";
    let said = test(page);
    assert!(!said.ok && said.text.contains("exit status 1"), "{}", said.text);
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("procfs");
    assert!(!mounts.contains("book-half") && !is_running("4323.5"), "{mounts}");
}

/// Whether a process with this argument exists.
fn is_running(argument: &str) -> bool {
    let processes = fs::read_dir("/proc").expect("procfs").flatten();
    let arguments = processes
        .map(|p| fs::read(p.path().join("cmdline")).unwrap_or_default());
    arguments.into_iter().any(|line| {
        line.split(|b| *b == 0).any(|arg| arg == argument.as_bytes())
    })
}
