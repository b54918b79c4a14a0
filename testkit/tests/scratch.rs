//! The leak checks must find leaks: each test plants one and expects its
//! scratch to fail, and to clean up.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use testkit::{Bundle, Need, Scratch, eventually, requires};

/// Drops a scratch and returns what it complained about.
fn complaint(scratch: Scratch) -> String {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(scratch)))
        .expect_err("it found no leak");
    *panic.downcast::<String>().expect("the message is formatted")
}

fn expect_killed(mut child: Child) {
    let status =
        eventually(Duration::from_secs(5), "the leaked process ends", || {
            child.try_wait().expect("it is our child")
        });
    assert!(!status.success());
}

#[test]
fn a_scratch_without_leaks_is_content_and_removed() {
    let scratch = Scratch::new();
    let path = scratch.path().to_owned();
    drop(scratch);
    assert!(!path.exists());
}

#[test]
fn a_failing_test_keeps_its_own_message() {
    let panic = catch_unwind(|| {
        let scratch = Scratch::new();
        fs::create_dir(scratch.state_root().join("box")).unwrap();
        panic!("the test's own message");
    });
    assert_eq!(
        panic.unwrap_err().downcast_ref(),
        Some(&"the test's own message")
    );
}

#[test]
fn a_leaked_process_is_found_by_its_environment() {
    let scratch = Scratch::new();
    let mut sleep = Command::new("sleep");
    let child =
        sleep.arg("1000").env("SCRATCH", scratch.path()).spawn().unwrap();
    assert!(
        complaint(scratch).contains(&format!(
            "process {} (sleep, by its environ)",
            child.id()
        ))
    );
    expect_killed(child);
}

#[test]
fn a_leaked_process_is_found_by_its_working_directory() {
    let scratch = Scratch::new();
    let child = Command::new("sleep")
        .arg("1000")
        .current_dir(scratch.path())
        .spawn()
        .unwrap();
    assert!(
        complaint(scratch)
            .contains(&format!("process {} (sleep, by its cwd)", child.id()))
    );
    expect_killed(child);
}

#[test]
fn a_process_of_another_scratch_is_left_alone() {
    let (mine, other) = (Scratch::new(), Scratch::new());
    let mut child = Command::new("sleep")
        .arg("1000")
        .current_dir(other.path())
        .spawn()
        .unwrap();
    drop(mine);
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_leaked_mount_is_found_and_unmounted() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let target = scratch.path().join("mnt");
    fs::create_dir(&target).unwrap();
    mount(
        Some("tmpfs"),
        &target,
        Some("tmpfs"),
        MsFlags::empty(),
        None::<&str>,
    )
    .unwrap();
    assert!(
        complaint(scratch).contains(&format!("mount {}", target.display()))
    );
    assert!(!target.exists());
}

#[test]
fn a_leaked_cgroup_is_found_and_removed() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let v1 = Path::new("/sys/fs/cgroup/pids");
    let hierarchy = if v1.exists() { v1 } else { Path::new("/sys/fs/cgroup") };
    let cgroup = hierarchy.join(scratch.id("box"));
    fs::create_dir_all(cgroup.join("inner")).unwrap();
    assert!(
        complaint(scratch).contains(&format!("cgroup {}", cgroup.display()))
    );
    assert!(!cgroup.exists());
}

#[test]
fn leaked_state_of_a_runtime_is_found() {
    let scratch = Scratch::new();
    let state = scratch.state_root().join("box");
    fs::create_dir(&state).unwrap();
    assert!(
        complaint(scratch)
            .contains(&format!("container state {}", state.display()))
    );
}

#[test]
fn a_leaked_container_is_found_though_it_sees_another_root() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let bundle = Bundle::busybox(&scratch, "box", &["true"]);
    // What a runtime does, without a cgroup, environment or argument that would
    // give it away first.
    let script = "mount --bind rootfs rootfs && cd rootfs && \
                  pivot_root . . && umount -l . && cd / && \
                  exec env -i sleep 1000";
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-c", script]).current_dir(bundle.path());
    let child = unshare.spawn().unwrap();
    let comm = format!("/proc/{}/comm", child.id());
    eventually(Duration::from_secs(5), "the container's program runs", || {
        fs::read_to_string(&comm).ok().filter(|name| name == "sleep\n")
    });
    let message = complaint(scratch);
    assert!(message.contains("(sleep, by its root mount)"), "{message}");
    expect_killed(child);
}
