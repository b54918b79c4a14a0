//! The runtime killed at work, and raced against itself.

use super::driver::{Driver, on_ours};
use std::process::Stdio;

#[test]
fn of_many_creates_with_one_id_exactly_one_wins() {
    on_ours(&["sleep", "60"], |driver| {
        let create = || {
            let mut command = driver.command(&["create", driver.id()]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let creates: Vec<_> = (0..8).map(|_| create()).collect();
        let won = creates.into_iter().map(|mut child| child.wait().unwrap());
        assert_eq!(won.filter(|status| status.success()).count(), 1);
        assert_eq!(driver.status(), "created");
        driver.ok(&["start"]);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn of_many_starts_exactly_one_wins() {
    on_ours(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        let start = || {
            let mut command = driver.command(&["start", driver.id()]);
            command.stderr(Stdio::null()).spawn().unwrap()
        };
        let starts: Vec<_> = (0..8).map(|_| start()).collect();
        let won = starts.into_iter().map(|mut child| child.wait().unwrap());
        assert_eq!(won.filter(|status| status.success()).count(), 1);
        driver.ok(&["delete", "--force"]);
    });
}

/// Kills `create` at the n-th of each kind of system call that changes
/// something, by strace's fault injection, until there is no n-th any more.
#[test]
fn whatever_a_killed_create_leaves_delete_by_force_removes() {
    if !testkit::requires(&[testkit::Need::Program("strace")]) {
        return;
    }
    on_ours(&["sleep", "60"], |driver| {
        const CHANGES: [&str; 6] =
            ["mkdir", "mknodat", "rename", "write", "clone3", "sendto"];
        let mut killed = 0;
        for call in CHANGES {
            killed += (1..)
                .map(|n| {
                    let was_killed = killed_at(driver, call, n);
                    driver.ok(&["delete", "--force"]);
                    was_killed
                })
                .take_while(|was_killed| *was_killed)
                .count();
        }
        assert!(killed > 20, "create was killed only {killed} times");
    });
}

fn killed_at(driver: &Driver, call: &str, n: u32) -> bool {
    use std::os::unix::process::ExitStatusExt;
    let runtime = driver.command(&["create", driver.id()]);
    let mut strace = std::process::Command::new("strace");
    strace.args(["-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.arg("-e").arg(format!("inject={call}:signal=KILL:when={n}"));
    strace.arg(runtime.get_program()).args(runtime.get_args());
    strace.current_dir(driver.bundle.path()).stdin(Stdio::null());
    strace.stdout(Stdio::null()).stderr(Stdio::null());
    let status = strace.status().expect("strace was found");
    assert!(status.success() || status.signal() == Some(9), "{status}");
    !status.success()
}
