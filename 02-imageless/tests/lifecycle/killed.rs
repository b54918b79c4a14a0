//! Each verb killed at each step, and init too: what stays behind, one `delete
//! --force` removes. The steps are the system calls that change something; a
//! scratch that finds anything left at the end fails the test.

use super::crash::{Traced, injected_into};
use super::driver::{Driver, LIMIT, on_ours};
use super::hooks::script;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use serde_json::json;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use testkit::{Need, eventually, requires};

/// What the runtime itself calls. The answer of a call that is not made is one
/// try too many.
const RUNTIME: [&str; 9] = [
    "mkdir",
    "mknodat",
    "rename",
    "write",
    "clone3",
    "sendto",
    "unlink",
    "pidfd_send_signal",
    "rmdir",
];

/// What init calls, one kind at a time; traced with those that it follows.
const INIT: [&str; 9] = [
    "setsid",
    "mount",
    "open_tree",
    "move_mount",
    "mount_setattr",
    "pivot_root",
    "umount2",
    "setgroups",
    "symlinkat",
];

/// Runs `test` on a container that has hooks around the start, so that those
/// steps are taken too.
fn with_hooks(test: impl FnOnce(&Driver)) {
    if !requires(&[Need::Program("strace")]) {
        return;
    }
    on_ours(&["sleep", "60"], |driver| {
        let mut hooks = json!({});
        for moment in ["createRuntime", "startContainer", "poststart"] {
            hooks[moment] = json!([script(driver, "true")]);
        }
        driver.set("/hooks", hooks);
        test(driver);
    });
}

/// Kills at the first, second, .. call of each kind until there is no such call
/// any more; how often that was.
fn killed(
    driver: &Driver,
    calls: &[&str],
    traced: &Traced<'_>,
    before: impl Fn(),
) -> usize {
    let at = |call: &str, n: u32| {
        before();
        let fault = format!("signal=KILL:when={n}");
        let status = injected_into(driver, traced, call, &fault).status;
        delete_by_force(driver);
        // With `-f` it is init that was killed, and the runtime tells.
        let code = status.code();
        let told = code == Some(1) || code == Some(137);
        let was_killed = status.signal() == Some(9) || told;
        assert!(was_killed || status.success(), "{call} {n}: {status}");
        was_killed
    };
    let times = |call| (1..).take_while(|n| at(call, *n)).count();
    calls.iter().map(|call| times(call)).sum()
}

fn alone<'a>(args: &'a [&'a str]) -> Traced<'a> {
    Traced { options: &[], args }
}

fn with_init<'a>(args: &'a [&'a str]) -> Traced<'a> {
    Traced { options: &["-f"], args }
}

/// Deletes, and meanwhile reaps what a killed `exec` has left to us: a shim does
/// that, and the container's init cannot end before.
fn delete_by_force(driver: &Driver) {
    let mut delete = driver.spawn(&["delete", "--force", driver.id()]);
    let status = eventually(LIMIT, "the container is deleted", || {
        orphans().for_each(|pid| {
            // ECHILD: another test's, of the same name.
            let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
        });
        delete.try_wait().expect("it is ours")
    });
    assert!(status.success(), "{}", driver.read("stderr"));
}

/// Our children by adoption that were on their way into a container, or have
/// become the program there.
fn orphans() -> impl Iterator<Item = Pid> {
    let processes = fs::read_dir("/proc").expect("/proc is there");
    processes.flatten().filter_map(|process| {
        let name = process.file_name().to_str()?.parse().ok()?;
        let status = fs::read_to_string(process.path().join("status")).ok()?;
        let field = |name| status.lines().find_map(|l| l.strip_prefix(name));
        let ours = field("PPid:\t")? == std::process::id().to_string();
        let named = ["imageless exec", "usleep"].contains(&field("Name:\t")?);
        (ours && named).then(|| Pid::from_raw(name))
    })
}

#[test]
fn whatever_a_killed_create_leaves_delete_by_force_removes() {
    with_hooks(|driver| {
        let args = ["create", driver.id()];
        let times = killed(driver, &RUNTIME, &alone(&args), || ());
        assert!(times > 20, "killed only {times} times");
    });
}

#[test]
fn whatever_a_killed_init_leaves_delete_by_force_removes() {
    with_hooks(|driver| {
        // To its end: strace stays as long as somebody whom it follows.
        driver.set("/process/args", json!(["true"]));
        let args = ["run", driver.id()];
        let times = killed(driver, &INIT, &with_init(&args), || ());
        assert!(times > 20, "killed only {times} times");
    });
}

#[test]
fn whatever_a_killed_run_leaves_delete_by_force_removes() {
    with_hooks(|driver| {
        let args = ["run", "--detach", driver.id()];
        let times = killed(driver, &RUNTIME, &alone(&args), || ());
        assert!(times > 20, "killed only {times} times");
    });
}

#[test]
fn whatever_a_killed_start_leaves_delete_by_force_removes() {
    with_hooks(|driver| {
        let args = ["start", driver.id()];
        let create = || drop(driver.ok(&["create"]));
        let times = killed(driver, &RUNTIME, &alone(&args), create);
        assert!(times > 2, "killed only {times} times");
    });
}

#[test]
fn whatever_a_killed_exec_leaves_delete_by_force_removes() {
    with_hooks(|driver| {
        let pid = driver.scratch.path().join("pid").display().to_string();
        let args = ["exec", "--pid-file", &pid, driver.id(), "usleep", "9"];
        let run = || drop(driver.ok(&["run", "--detach"]));
        let times = killed(driver, &RUNTIME, &alone(&args), run);
        assert!(times > 3, "killed only {times} times");
    });
}

#[test]
fn whatever_a_killed_delete_leaves_the_next_one_removes() {
    with_hooks(|driver| {
        let calls = [&RUNTIME[..], &["unlinkat"]].concat();
        let args = ["delete", "--force", driver.id()];
        let run = || drop(driver.ok(&["run", "--detach"]));
        let times = killed(driver, &calls, &alone(&args), run);
        assert!(times > 5, "killed only {times} times");
    });
}
