//! Who the command is: maps of one id and of many, with unshare(1) as the
//! reference.

mod machine;
mod refused;

use crate::run::{Running, stdout, text};
use machine::{Machine, NEEDS, machine};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::time::Duration;
use testkit::{Bundle, Need, eventually, requires};

/// Who am I, in all respects.
const WHO: &str = "cat /proc/self/uid_map /proc/self/gid_map \
                   /proc/self/setgroups; id -u; id -g; id -G";

#[test]
fn a_map_is_what_unshare_makes_of_the_same_options() {
    if !requires(&NEEDS) {
        return;
    }
    let machine = machine();
    let blocks = "--map-users=200000,0,5 --map-groups=210000,0,5";
    let root = format!("-r {blocks}");
    let beside = root.replace(",0,", ",1,");
    let become_7 = "-r --map-auto --setuid 7 --setgid 8";
    let options = ["-r", "-c", "-r --map-auto", "-c --map-auto", become_7];
    for options in options.into_iter().chain([&*root, &*beside]) {
        let of = |program: &str| {
            text(machine.ann(&format!("{program} {options} -- sh -c '{WHO}'")))
        };
        assert_eq!(of("isolate"), of("unshare"), "{options}");
    }
}

#[test]
fn without_an_option_for_it_the_caller_is_root_beside_its_ids() {
    if !requires(&NEEDS) {
        return;
    }
    let machine = machine();
    let line = format!("isolate --map-auto -- sh -c '{WHO}'");
    assert_eq!(
        text(machine.ann(&line)),
        text(machine.ann(&line.replace("--map", "-r --map")))
    );
}

#[test]
fn all_ranges_are_mapped_by_name_and_by_uid() {
    if !requires(&NEEDS) {
        return;
    }
    let subuid = "# ids\nann:200000:10\nbob:rubbish\n\n4242:300000:5\n";
    let machine = Machine::new(subuid, "4242:200000:10\n");
    let map = text(machine.ann("isolate --map-auto cat /proc/self/uid_map"));
    let lines: Vec<Vec<_>> =
        map.lines().map(|line| line.split_whitespace().collect()).collect();
    let expected =
        [["0", "4242", "1"], ["1", "200000", "9"], ["10", "300000", "5"]];
    assert_eq!(lines, expected);
}

#[test]
fn files_of_two_users_inside_belong_to_two_users_outside() {
    if !requires(&NEEDS) {
        return;
    }
    let machine = machine();
    let dir = machine.path().join("files");
    fs::create_dir(&dir).unwrap();
    chown(&dir, Some(4242), Some(4242)).unwrap();
    let script = "cd $0 && touch root daemon && chown 1:2 daemon";
    let dir = dir.to_str().unwrap();
    text(machine.ann(&format!("isolate --map-auto sh -c '{script}' {dir}")));
    let owner = |name: &str| {
        let file = fs::metadata(Path::new(dir).join(name)).unwrap();
        (file.uid(), file.gid())
    };
    assert_eq!(owner("root"), (4242, 4242));
    assert_eq!(owner("daemon"), (200_000, 210_001));
}

#[test]
fn a_root_file_system_has_files_of_many_users_for_an_ordinary_one() {
    if !requires(&NEEDS) {
        return;
    }
    let machine = machine();
    let bundle = Bundle::busybox(&machine.scratch, "c", &["true"]);
    let rootfs = bundle.rootfs();
    chown(&rootfs, Some(4242), Some(4242)).unwrap();
    let file = rootfs.join("of-daemon");
    fs::write(&file, "").unwrap();
    chown(&file, Some(200_000), Some(210_000)).unwrap();
    let inside = "stat -c %u:%g / /of-daemon";
    let rootfs = rootfs.to_str().unwrap();
    let line = format!("isolate -p --map-auto --rootfs {rootfs} -- {inside}");
    assert_eq!(text(machine.ann(&line)), "0:0\n1:1\n");
}

#[test]
fn who_is_not_in_the_map_is_root_before_it_mounts() {
    if !requires(&NEEDS) {
        return;
    }
    let blocks = "--map-users 0:200000:9 --map-groups 0:210000:9";
    let line = format!("isolate -pm {blocks} -- sh -c 'id -u; echo $$'");
    assert_eq!(text(machine().ann(&line)), "0\n1\n");
}

#[test]
fn root_needs_no_help_for_any_map() {
    if !requires(&[Need::Root]) {
        return;
    }
    let map = "0:100000:65536";
    let args = ["--map-users", map, "--map-groups", map, "--", "sh", "-c", WHO];
    let text = stdout(&args).replace(' ', "");
    assert_eq!(text, "010000065536\n010000065536\nallow\n0\n0\n0\n");
}

#[test]
fn ids_are_changed_without_a_user_namespace_too() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = ["--setuid", "7", "--setgid", "8", "--", "sh", "-c"];
    let ids = stdout(&[&args[..], &["id -u; id -g; id -G"]].concat());
    assert_eq!(ids, "7\n8\n8\n");
}

#[test]
fn the_command_dies_with_isolate_also_as_another_user() {
    if !requires(&[Need::Root]) {
        return;
    }
    let script = "echo $$; read go; sleep 1000";
    let args = ["--setuid", "7", "--", "sh", "-c", script];
    let mut running = Running::start(&args);
    let pid: i32 = running.line().parse().unwrap();
    running.process.kill().unwrap();
    running.process.wait().unwrap();
    eventually(Duration::from_secs(5), "the command is dead", || {
        kill(Pid::from_raw(pid), None::<Signal>).is_err().then_some(())
    });
}

#[test]
fn the_plan_prints_the_call_of_newuidmap() {
    if !requires(&NEEDS) {
        return;
    }
    let plan = text(machine().ann("isolate --plan --map-auto -- true"));
    let calls = "parent: newuidmap PID 0 4242 1 1 200000 999\n\
                 parent: newgidmap PID 0 4242 1 1 210000 999\n";
    assert!(plan.contains(calls), "{plan}");
}
