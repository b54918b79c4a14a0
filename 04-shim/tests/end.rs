//! How a container's end is known: the exit file, the lock on the shim's pid
//! file, and what is lost when somebody kills the shim itself.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod rig;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rig::{DEADLINE, golden, json, normalised, ours};
use runc_naive::Status;
use testkit::spec::LinuxNamespaceType;
use testkit::{Need, eventually, requires};

const NEEDS: [Need; 2] = [Need::Root, Need::Program("runc")];

#[test]
fn an_exit_status_is_written_as_the_golden_file_says() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sh", "-c", "exit 7"]);
    rig.run();
    assert_eq!(normalised(&rig.exit_file()), golden("exit-exited.json"));
}

#[test]
fn a_signal_is_written_as_the_golden_file_says() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sleep", "1000"]);
    rig.run();
    rig.kill(9);
    assert_eq!(normalised(&rig.exit_file()), golden("exit-signaled.json"));
}

/// C40: the whole range of exit statuses, and signals that have no name.
#[test]
fn exit_200_and_a_real_time_signal_are_told_apart() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sh", "-c", "exit 200"]);
    rig.run();
    let exit = json(&rig.exit_file());
    assert_eq!(
        (&exit["code"], &exit["reason"]),
        (&200.into(), &"exited".into())
    );

    let rig = ours(&["sleep", "1000"]);
    rig.bundle.edit(|spec| {
        let linux = spec.linux_mut().as_mut().unwrap();
        let mut namespaces = linux.namespaces().clone().unwrap();
        namespaces
            .retain(|namespace| namespace.typ() != LinuxNamespaceType::Pid);
        linux.set_namespaces(Some(namespaces));
    });
    rig.run();
    rig.kill(40);
    let exit = json(&rig.exit_file());
    assert_eq!((&exit["code"], &exit["signal"]), (&168.into(), &40.into()));
}

#[test]
fn a_container_that_is_deleted_before_its_start_has_an_end_too() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["true"]);
    rig.created();
    rig.runtime.delete(rig.id(), runc_naive::Force::Yes).unwrap();
    assert_eq!(rig.exit_code(), 137);
}

#[test]
fn the_pid_file_is_locked_as_long_as_the_shim_lives() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sleep", "1000"]);
    rig.run();
    assert_eq!(rig.lock_holder(), Some(rig.shim_pid()));
    rig.kill(9);
    rig.wait_for_shims_end();
    assert!(
        rig.path("exit").exists(),
        "the exit file is there before the lock is free"
    );
    assert_eq!(rig.files(), ["container.pid", "exit", "log", "shim.pid"]);
}

#[test]
fn a_second_shim_for_the_same_files_is_refused_with_the_pid_of_the_first() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sleep", "1000"]);
    rig.run();
    let answer = String::from_utf8(rig::output(rig.command()).stdout).unwrap();
    let holder =
        format!("the shim with pid {} has this container", rig.shim_pid());
    assert!(
        json(&answer)["message"].as_str().unwrap().ends_with(&holder),
        "{answer}"
    );
    assert_eq!(rig.lock_holder(), Some(rig.shim_pid()));
}

#[test]
fn the_shim_is_detached_and_named_after_its_container() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sleep", "1000"]);
    rig.run();
    let shim = rig.shim_pid();
    let stat = fs::read_to_string(format!("/proc/{shim}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!(
        (fields[2], fields[3]),
        (&*shim.to_string(), &*shim.to_string()),
        "group, session"
    );
    assert_ne!(fields[1], std::process::id().to_string(), "its parent");
    let comm = fs::read_to_string(format!("/proc/{shim}/comm")).unwrap();
    assert!(format!("shim:{}", rig.id()).starts_with(comm.trim()), "{comm}");
    assert_eq!(
        fs::read_link(format!("/proc/{shim}/cwd")).unwrap(),
        std::path::Path::new("/")
    );
    for fd in 0..3 {
        let target = fs::read_link(format!("/proc/{shim}/fd/{fd}")).unwrap();
        assert_eq!(target, std::path::Path::new("/dev/null"));
    }
}

#[test]
fn sigterm_to_the_shim_reaches_the_container() {
    if !requires(&NEEDS) {
        return;
    }
    for (signal, name) in [
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGINT, "INT"),
        (Signal::SIGQUIT, "QUIT"),
    ] {
        let script = format!(
            "trap 'echo got {name}; exit 5' {name}; echo ready; while :; do usleep 10000; done"
        );
        let rig = ours(&["sh", "-c", &script]);
        rig.run();
        eventually(DEADLINE, "the trap is set", || {
            rig.log().contains("ready").then_some(())
        });
        kill(Pid::from_raw(rig.shim_pid()), signal).unwrap();
        assert_eq!(rig.exit_code(), 5);
        assert!(rig.log().contains(&format!("got {name}")));
    }
}

/// C23, as PROTOCOL.md says it: no exit file, no lock, and a container without
/// monitor.
#[test]
fn killing_the_shim_loses_the_exit_code_but_not_the_container() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sleep", "1000"]);
    rig.run();
    kill(Pid::from_raw(rig.shim_pid()), Signal::SIGKILL).unwrap();
    rig.wait_for_shims_end();
    assert_eq!(rig.runtime.state(rig.id()).unwrap().status, Status::Running);
    rig.kill(9);
    eventually(DEADLINE, "the container ends", || {
        (rig.runtime.state(rig.id()).ok()?.status == Status::Stopped)
            .then_some(())
    });
    assert!(!rig.path("exit").exists());
}

/// The disk is gone, and stderr is /dev/null: the kernel's log is what remains.
#[test]
fn an_exit_file_that_cannot_be_written_is_told_to_the_kernels_log() {
    if !requires(&NEEDS) {
        return;
    }
    let mut kmsg = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/kmsg")
        .unwrap();
    kmsg.seek(SeekFrom::End(0)).unwrap();
    let rig = ours(&["sleep", "1000"]);
    fs::create_dir(rig.path("exits")).unwrap();
    let shim = rig.command_with(&[("--exit-file", rig.path("exits/file"))]);
    assert!(rig::output(shim).status.success());
    fs::remove_dir_all(rig.path("exits")).unwrap();
    rig.kill(9);

    let mut message = [0; 8192]; // one read is one message
    let told = eventually(DEADLINE, "the kernel's log has it", || {
        let length = kmsg.read(&mut message).ok()?;
        let text = String::from_utf8_lossy(&message[..length]).into_owned();
        text.contains(rig.id()).then_some(text)
    });
    assert!(
        told.contains("conman-shim") && told.contains("code: 137"),
        "{told}"
    );
    rig.wait_for_shims_end();
}
