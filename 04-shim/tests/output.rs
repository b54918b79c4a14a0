//! The container's log: what is in it, when, and what may go wrong around it
//! without hurting the container.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod rig;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use rig::{DEADLINE, Rig, golden, normalised, ours};
use testkit::spec::LinuxNamespaceType;
use testkit::{Need, eventually, requires};

const NEEDS: [Need; 2] = [Need::Root, Need::Program("runc")];

#[test]
fn the_log_is_in_cri_format() {
    if !requires(&NEEDS) {
        return;
    }
    // A pause between two writes to different streams: two pipes have no common
    // order.
    let script = "echo hello; usleep 200000; echo oops >&2; usleep 200000; echo; printf 'no newline yet'";
    let rig = ours(&["sh", "-c", script]);
    rig.run();
    rig.exit_file();
    assert_eq!(normalised(&rig.log()), golden("container.log"));
    let mode = fs::metadata(rig.path("log")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

/// C35: one line, written in two halves.
#[test]
fn partial_records_put_together_are_the_line() {
    if !requires(&NEEDS) {
        return;
    }
    let rig =
        ours(&["sh", "-c", "printf par; usleep 200000; echo tial; echo whole"]);
    rig.run();
    rig.exit_file();
    assert!(rig.log().contains("stdout P par\n"), "{}", rig.log());
    assert_eq!(rig.text("stdout"), "partial\nwhole\n");
}

#[test]
fn a_long_line_is_cut_into_records_of_16_kib() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&[
        "sh",
        "-c",
        "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end",
    ]);
    rig.run();
    rig.exit_file();
    let log = rig.log();
    let longest = log
        .lines()
        .map(|record| record.splitn(4, ' ').nth(3).unwrap().len())
        .max();
    assert!(longest <= Some(16 * 1024), "{longest:?}");
    assert_eq!(rig.text("stdout"), "x".repeat(100_000) + "\nend\n");
}

#[test]
fn output_goes_to_the_log_at_once() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sh", "-c", "printf prompt; exec sleep 1000"]);
    rig.run();
    let log = || rig.log().contains("stdout P prompt").then_some(());
    eventually(DEADLINE, "the log has the beginning of the line", log);
}

#[test]
fn a_container_that_closes_its_output_is_watched_on() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sh", "-c", "exec >&- 2>&-; usleep 300000; exit 4"]);
    rig.run();
    assert_eq!(rig.exit_code(), 4);
}

/// C25: without a pid namespace, what was left in the background holds the
/// pipe, and writes on.
#[test]
fn a_background_process_does_not_keep_the_shim() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sh", "-c", "yes & sleep 1000 & echo last; exit 6"]);
    share_pids(&rig);
    rig.run();
    assert_eq!(rig.exit_code(), 6);
    rig.wait_for_shims_end();
    assert!(rig.log().contains("stdout F last\n"));
    kill_left(&rig);
}

/// C11 and C26: the first child that ends is an orphan, and so are many more.
#[test]
fn orphans_are_reaped_and_not_mistaken_for_the_container() {
    if !requires(&NEEDS) {
        return;
    }
    let script = "for i in 1 2 3 4 5; do (sleep 0.$i & ); done; sleep 1; echo orphans gone; sleep 1000";
    let rig = ours(&["sh", "-c", script]);
    share_pids(&rig);
    let container = rig.run();
    let log = || rig.log().contains("orphans gone").then_some(());
    eventually(DEADLINE, "all orphans have ended", log);
    let children = || (children(rig.shim_pid()) == [container]).then_some(());
    eventually(DEADLINE, "the container is the shim's only child", children);
    rig.kill(9);
    assert_eq!(rig.exit_code(), 137);
    kill_left(&rig);
}

/// A full disk stops neither the container nor the exit file, and the gap
/// stands in the log.
#[test]
fn a_full_disk_costs_log_but_not_the_container() {
    if !requires(&NEEDS) {
        return;
    }
    let script = "until [ -e /go ]; do yes line | head -c 100000; done; echo back; exit 9";
    let rig = ours(&["sh", "-c", script]);
    let (disk, log) = (rig.path("disk"), rig.path("disk/log"));
    fs::create_dir(&disk).unwrap();
    shell(&format!("mount -t tmpfs -o size=1m none {}", disk.display()));
    fs::write(disk.join("filler"), [0; 500_000]).unwrap();
    let command = rig.command_with(&[("--log-path", log.clone())]);
    assert!(rig::output(command).status.success());
    rig.start();
    let full = || (fs::metadata(&log).ok()?.len() > 400_000).then_some(());
    eventually(DEADLINE, "the disk is full", full);
    fs::remove_file(disk.join("filler")).unwrap();
    eventually(DEADLINE, "the disk is full again, and has the note", || {
        let noted =
            fs::read_to_string(&log).ok()?.contains("stderr F [conman-shim: ");
        (noted && fs::metadata(&log).ok()?.len() > 900_000).then_some(())
    });
    fs::write(rig.bundle.rootfs().join("go"), "").unwrap();
    assert_eq!(rig.exit_code(), 9);

    let text = fs::read_to_string(&log).unwrap();
    let whole =
        |record: &str| record.splitn(4, ' ').count() == 4 && record.is_ascii();
    assert!(text.ends_with('\n') && text.lines().all(whole), "a torn record");
    assert!(
        text.contains(
            " bytes lost: write(log) = ENOSPC: No space left on device]"
        ),
        "no note"
    );
    shell(&format!("umount {}", disk.display()));
}

fn shell(command: &str) {
    assert!(
        Command::new("sh").args(["-c", command]).status().unwrap().success(),
        "{command}"
    );
}

/// Takes the pid namespace away, so that the container's orphans come to the
/// shim.
fn share_pids(rig: &Rig) {
    rig.bundle.edit(|spec| {
        let linux = spec.linux_mut().as_mut().unwrap();
        let mut namespaces = linux.namespaces().clone().unwrap();
        namespaces
            .retain(|namespace| namespace.typ() != LinuxNamespaceType::Pid);
        linux.set_namespaces(Some(namespaces));
    });
}

/// `delete --force` of runc 1.1 without pid namespace kills through the cgroup;
/// wait until that is done.
fn kill_left(rig: &Rig) {
    rig.runtime.delete(rig.id(), runc_naive::Force::Yes).unwrap();
}

fn children(parent: i32) -> Vec<i32> {
    let pids = fs::read_dir("/proc").unwrap();
    let pids = pids.filter_map(|entry| {
        entry.unwrap().file_name().to_str()?.parse::<i32>().ok()
    });
    let is_child = |pid: &i32| {
        let stat =
            fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let ppid = stat
            .rsplit_once(") ")
            .and_then(|(_, fields)| fields.split(' ').nth(1));
        ppid == Some(&parent.to_string())
    };
    pids.filter(is_child).collect()
}
