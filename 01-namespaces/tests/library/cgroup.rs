//! Cgroups: made whole or not at all, and killed whole.

use namespaces::cgroup::{Cgroup, Limit, Limits};
use nix::errno::Errno;
use nix::unistd::Pid;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use testkit::{Need, Scratch, requires};

fn shell(script: &str) -> Child {
    let mut command = Command::new("sh");
    let command = command.args(["-c", script]).stdin(Stdio::piped());
    command.stderr(Stdio::null()).spawn().unwrap()
}

fn pid(process: &Child) -> Pid {
    Pid::from_raw(process.id() as i32)
}

fn name(scratch: &Scratch) -> PathBuf {
    PathBuf::from(scratch.id("group"))
}

/// Makes a cgroup with room for 50 processes, and a shell in it that has not
/// begun its work: it reads a line first.
fn with_shell(scratch: &Scratch, script: &str) -> (Cgroup, Child) {
    let cgroup = Cgroup::create(&name(scratch)).unwrap();
    let pids = Some(Limit::At(50));
    cgroup.set(&Limits { pids, ..Limits::default() }).unwrap();
    let process = shell(&format!("read go; {script}"));
    cgroup.add(pid(&process)).unwrap();
    (cgroup, process)
}

#[test]
fn a_created_cgroup_is_gone_when_it_is_dropped_with_all_in_it() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let (cgroup, mut process) = with_shell(&scratch, "");
    let dirs: Vec<_> = cgroup.paths().iter().map(|p| p.to_path_buf()).collect();
    assert!(!dirs.is_empty() && dirs.iter().all(|dir| dir.is_dir()));
    drop(cgroup);
    assert!(!dirs.iter().any(|dir| dir.exists()), "{dirs:?}");
    assert!(!process.wait().unwrap().success());
}

#[test]
fn a_kept_cgroup_stays_and_can_be_opened_and_removed() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let (mut cgroup, mut process) = with_shell(&scratch, "");
    cgroup.keep();
    drop(cgroup);
    let mut cgroup = Cgroup::open(&name(&scratch)).unwrap();
    assert_eq!(cgroup.pids().unwrap(), [pid(&process)]);
    assert_eq!(cgroup.usage().unwrap().pids.unwrap().current, 1);
    drop(process.stdin.take());
    process.wait().unwrap();
    cgroup.remove().unwrap();
    assert!(!cgroup.paths().iter().any(|dir| dir.exists()));
    // A second time is no error.
    cgroup.remove().unwrap();
}

#[test]
fn kill_reaches_also_those_that_fork_meanwhile() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    // Each round's processes are orphans of a shell that ends at once.
    let bomb = "while :; do (sleep 0 & sleep 1000 &) ; done";
    let (cgroup, mut process) = with_shell(&scratch, bomb);
    use std::io::Write;
    process.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let busy = || (cgroup.pids().unwrap().len() > 20).then_some(());
    let limit = std::time::Duration::from_secs(10);
    testkit::eventually(limit, "the shell forks", busy);
    cgroup.kill().unwrap();
    assert_eq!(cgroup.pids().unwrap(), []);
    process.wait().unwrap();
}

#[test]
fn a_cgroup_in_use_is_refused_and_left_alone() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let (cgroup, mut process) = with_shell(&scratch, "");
    let error = Cgroup::create(&name(&scratch)).unwrap_err();
    assert_eq!(error.errno, Errno::EBUSY);
    assert_eq!(cgroup.pids().unwrap(), [pid(&process)]);
    drop(cgroup);
    process.wait().unwrap();
}

#[test]
fn a_failed_create_leaves_nothing_behind() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    // The kernel takes no name with a line break, but those above it.
    let path = PathBuf::from("/").join(name(&scratch)).join("a\nb");
    let error = Cgroup::create(&path).unwrap_err();
    assert_eq!(error.errno, Errno::EINVAL);
    // That the directories above are gone, `scratch` checks.
}

#[test]
fn a_limit_can_be_lifted_again() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let cgroup = Cgroup::create(&name(&scratch)).unwrap();
    let set = |limit| {
        let limits = Limits { memory: Some(limit), ..Limits::default() };
        let limits = Limits { pids: Some(limit), ..limits };
        cgroup.set(&limits)
    };
    set(Limit::At(1 << 20)).unwrap();
    set(Limit::Max).unwrap();
    let memory = cgroup.usage().unwrap().memory.unwrap();
    assert_eq!((memory.current, memory.limit), (0, Limit::Max));
}
