//! The attack of CVE-2019-5736, three ways: whatever makes the container execute
//! the runtime's own program must not give it a way to write to that.

use super::crash::injected;
use super::driver::{Driver, LIMIT, OURS, on_a_copy_of_ours};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{mkfifo, write};
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use testkit::{Need, eventually, requires};

/// Not by a runtime that takes care: by the kernel's plain rules.
#[test]
fn by_a_careless_execution_a_program_can_be_written() {
    on_a_copy_of_ours(&["true"], |driver| {
        let victim = driver.scratch.path().join("busybox");
        let mut cp = Command::new("cp");
        let cp = cp.arg("/bin/busybox").arg(&victim).status();
        assert!(cp.expect("cp is everywhere").success());
        let mut sleep = Command::new(&victim);
        let mut sleep = sleep.args(["sleep", "60"]).spawn().expect(OURS);
        let exe = format!("/proc/{}/exe", sleep.id());
        let held = open(&*exe, OFlag::O_PATH, Mode::empty()).expect(OURS);
        sleep.kill().and_then(|()| sleep.wait().map(drop)).expect(OURS);
        let held = format!("/proc/self/fd/{}", held.as_raw_fd());
        let file = open(&*held, OFlag::O_WRONLY, Mode::empty()).expect(OURS);
        assert_eq!(write(file, b"#!/evil"), Ok(7));
    });
}

/// What the runtime, executed inside, is told to do: to wait for a FIFO.
const WAIT: [&str; 4] = ["create", "--bundle", "/b", "x"];

#[test]
fn init_leads_to_no_program_that_can_be_written() {
    on_a_copy_of_ours(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        not_writable(driver);
    });
}

#[test]
fn nor_does_it_where_a_mount_cannot_be_cloned() {
    if !requires(&[Need::Program("strace")]) {
        return;
    }
    on_a_copy_of_ours(&["sleep", "60"], |driver| {
        let output = injected(driver, "create", "open_tree", "error=EPERM");
        assert!(output.status.success());
        not_writable(driver);
    });
}

#[test]
fn nor_does_proc_self_exe_as_the_program() {
    on_a_copy_of_ours(&[], |driver| {
        driver.set(
            "/process/args",
            json!([&["/proc/self/exe"], &WAIT[..]].concat()),
        );
        executes_the_runtime(driver);
        not_writable(driver);
    });
}

#[test]
fn nor_does_a_script_whose_interpreter_is_proc_self_exe() {
    on_a_copy_of_ours(&[], |driver| {
        let script = driver.bundle.rootfs().join("evil");
        fs::write(&script, "#!/proc/self/exe --log\n").expect(OURS);
        fs::set_permissions(&script, Permissions::from_mode(0o755))
            .expect(OURS);
        driver.set("/process/args", json!([&["/evil"], &WAIT[..]].concat()));
        executes_the_runtime(driver);
        not_writable(driver);
    });
}

/// Starts it, and waits until it is the runtime again, inside.
fn executes_the_runtime(driver: &Driver) {
    let inside = driver.bundle.rootfs().join("b");
    fs::create_dir(&inside).expect(OURS);
    fs::create_dir(inside.join("rootfs")).expect(OURS);
    mkfifo(&inside.join("config.json"), Mode::S_IRWXU).expect(OURS);
    // A debug build is dynamic: it needs its libraries there.
    let bind = |dir| json!({"destination": dir, "source": dir, "options": ["bind", "ro"]});
    let proc = json!({"destination": "/proc", "type": "proc"});
    driver.set("/mounts", json!([proc, bind("/lib"), bind("/lib64")]));
    driver.ok(&["create"]);
    driver.ok(&["start"]);
    let file = format!("/proc/{}/cmdline", driver.state()["pid"]);
    eventually(LIMIT, "the container executes the runtime", || {
        let words = fs::read_to_string(&file).unwrap_or_default();
        words.contains("/proc/self/exe\0").then_some(())
    });
}

/// As the attacker does: holds what is executed now, and opens it for writing
/// when it is not executed any more (until then that is ETXTBSY).
fn not_writable(driver: &Driver) {
    let exe = format!("/proc/{}/exe", driver.state()["pid"]);
    let held = open(&*exe, OFlag::O_PATH, Mode::empty()).expect("we are root");
    driver.ok(&["delete", "--force"]);
    let held = format!("/proc/self/fd/{}", held.as_raw_fd());
    // A read-only mount refuses to open it, a seal to write.
    let written = open(&*held, OFlag::O_WRONLY, Mode::empty())
        .and_then(|file| write(file, b"#!/evil"));
    let refused = matches!(written, Err(Errno::EROFS | Errno::EPERM));
    assert!(refused, "{written:?}");
}
