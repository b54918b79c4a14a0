//! What is isolated, and that nothing else is.

use crate::run::{ISOLATE, Running, stdout, text};
use namespaces::namespace::Namespace;
use std::fs::read_link;
use std::process::Command;
use testkit::{Need, Scratch, requires};

const OPTIONS: [(Namespace, &str); 8] = [
    (Namespace::User, "--user"),
    (Namespace::Mount, "--mount"),
    (Namespace::Pid, "--pid"),
    (Namespace::Uts, "--uts"),
    (Namespace::Ipc, "--ipc"),
    (Namespace::Net, "--net"),
    (Namespace::Cgroup, "--cgroup"),
    (Namespace::Time, "--time"),
];

/// Tells whether the command of `isolate OPTION` is in our own namespace.
fn is_ours(namespace: Namespace, option: &str) -> bool {
    // Of PID "self", as procfs tells it: without --mount that is our /proc.
    let script = format!("readlink /proc/self/ns/{}", namespace.file());
    let inside = stdout(&[option, "--", "sh", "-c", &script]);
    let ours = read_link(format!("/proc/self/ns/{}", namespace.file()));
    inside.trim_end() == ours.unwrap().to_str().unwrap()
}

#[test]
fn each_option_makes_its_namespace_and_no_other() {
    if !requires(&[Need::Root]) {
        return;
    }
    for (asked, option) in OPTIONS {
        for namespace in Namespace::all() {
            let expected = namespace != asked;
            let ours = is_ours(namespace, option);
            assert_eq!(ours, expected, "{option}: {}", namespace.file());
        }
    }
}

#[test]
fn without_options_nothing_is_isolated() {
    for namespace in Namespace::all() {
        let script = format!("readlink /proc/self/ns/{}", namespace.file());
        let inside = stdout(&["sh", "-c", &script]);
        let ours = read_link(format!("/proc/self/ns/{}", namespace.file()));
        assert_eq!(inside.trim_end(), ours.unwrap().to_str().unwrap());
    }
}

#[test]
fn a_host_name_inside_does_not_appear_outside() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let before = nix::unistd::gethostname().unwrap();
    let args = ["--hostname", "inside", "--", "sh", "-c"];
    let script = "hostname; read go";
    let mut running = Running::start(&[&args[..], &[script]].concat());
    assert_eq!(running.line(), "inside");
    assert_eq!(nix::unistd::gethostname().unwrap(), before);
    assert_eq!(running.finish(), Some(0));
}

#[test]
fn a_mount_inside_does_not_appear_outside() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.path().to_str().unwrap();
    let script = "mount -t tmpfs none $0 && touch $0/file && ls $0; read go";
    let args = ["--user", "--mount", "--", "sh", "-c", script, dir];
    let mut running = Running::start(&args);
    assert_eq!(running.line(), "file");
    assert!(!scratch.path().join("file").exists());
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(dir), "{mounts}");
    assert_eq!(running.finish(), Some(0));
}

#[test]
fn nor_does_it_where_the_host_shares_its_mounts() {
    if !requires(&[Need::Root, Need::Program("unshare")]) {
        return;
    }
    let scratch = Scratch::new();
    let script = "$0 --mount -- mount -t tmpfs none $1 && \
                  grep -c $1 /proc/self/mountinfo";
    let mut host = Command::new("unshare");
    host.args(["--mount", "--propagation", "shared", "sh", "-c", script]);
    let output = host.arg(ISOLATE).arg(scratch.path()).output().unwrap();
    assert_eq!(output.stdout, b"0\n", "{output:?}");
}

#[test]
fn the_command_is_pid_1() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    assert_eq!(stdout(&["-U", "--pid", "--", "sh", "-c", "echo $$"]), "1\n");
}

#[test]
fn with_a_mount_namespace_proc_shows_only_processes_inside() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let script = "cd /proc; echo [0-9]*";
    let args = ["-U", "--pid", "--mount", "--", "sh", "-c", script];
    assert_eq!(stdout(&args), "1\n");
}

#[test]
fn a_new_network_has_nothing_but_loopback() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let args = ["-U", "--net", "--", "cat", "/proc/self/net/dev"];
    let devices = stdout(&args);
    let names: Vec<_> =
        devices.lines().skip(2).filter_map(|l| l.split(':').next()).collect();
    assert_eq!(names.iter().map(|n| n.trim()).collect::<Vec<_>>(), ["lo"]);
}

#[test]
fn in_a_cgroup_namespace_its_own_cgroup_is_the_root() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = ["--pids", "9", "--cgroup", "--", "cat", "/proc/self/cgroup"];
    let cgroups = stdout(&args);
    let pids =
        cgroups.lines().find(|l| l.contains("pids") || l.contains("0::"));
    assert!(pids.unwrap().ends_with(":/"), "{cgroups}");
}

#[test]
fn a_plan_does_nothing() {
    let args = ["--plan", "--user", "--hostname", "x", "--", "echo", "ran"];
    let plan = stdout(&args);
    assert!(plan.contains("clone3(CLONE_NEWUSER|CLONE_NEWUTS)"), "{plan}");
    assert!(plan.contains(r#"sethostname("x")"#), "{plan}");
    assert!(!plan.lines().any(|line| line == "ran"), "{plan}");
}

#[test]
fn clocks_are_set_as_unshare_sets_them() {
    if !requires(&[Need::Root, Need::Program("unshare")]) {
        return;
    }
    let args = ["--time", "--boottime=86400", "--monotonic=-5", "--"];
    let args = [&args[..], &["cat", "/proc/self/timens_offsets"]].concat();
    let reference = Command::new("unshare").arg("--fork").args(&args).output();
    assert_eq!(stdout(&args), text(reference.unwrap()));
}

#[test]
fn the_machine_was_started_earlier_for_the_command_and_for_nobody_else() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let seconds = |uptime: &str| {
        let (whole, _) = uptime.split_once('.').unwrap();
        whole.parse::<u64>().unwrap()
    };
    let ours = || seconds(&std::fs::read_to_string("/proc/uptime").unwrap());
    let before = ours();
    let args = ["--user", "--boottime", "86400", "--", "cat", "/proc/uptime"];
    let inside = seconds(&stdout(&args));
    let after = ours();
    assert!((before..=after).contains(&(inside - 86_400)), "{inside}");
}

#[test]
fn a_queue_made_inside_is_not_there_outside() {
    if !requires(&[Need::UserNamespaces, Need::Program("ipcmk")]) {
        return;
    }
    let queues = || std::fs::read_to_string("/proc/sysvipc/msg").unwrap();
    let before = queues();
    // The file has a line for each queue, below one with titles.
    let script = "ipcmk --queue >/dev/null && \
                  grep -c . /proc/sysvipc/msg; read go";
    let args = ["-U", "--ipc", "--", "sh", "-c", script];
    let mut running = Running::start(&args);
    assert_eq!(running.line(), "2");
    assert_eq!(queues(), before);
    assert_eq!(running.finish(), Some(0));
}
