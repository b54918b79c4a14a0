//! Namespaces without a process: `isolate pin` makes them, `enter` goes in, and
//! `unpin` lets them go.

use crate::rootless::as_nobody;
use crate::run::{isolate, refusal, stdout};
use std::path::{Path, PathBuf};
use testkit::{Need, Scratch, requires};

/// A directory that is let go at the end, whatever happens.
struct Pinned(PathBuf);

impl Pinned {
    fn new(dir: PathBuf, options: &[&str]) -> Self {
        let new = Self(dir);
        stdout(&[&["pin"], options, &[new.name()]].concat());
        new
    }

    fn name(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn run(&self, command: &[&str]) -> String {
        stdout(&[&["enter", self.name(), "--"], command].concat())
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if self.0.exists() {
            stdout(&["unpin", self.name()]);
        }
    }
}

const KINDS: &str = "-UmuinCT";

#[test]
fn what_one_command_did_in_a_box_without_a_process_the_next_one_finds() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let pinned = Pinned::new(scratch.path().join("box"), &["-u", "-n"]);
    pinned.run(&["hostname", "ghost"]);
    assert_eq!(pinned.run(&["hostname"]), "ghost\n");
    assert_ne!(stdout(&["--", "hostname"]), "ghost\n");
}

#[test]
fn every_kind_but_pid_is_kept_and_no_process_is_in_it() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let pinned = Pinned::new(scratch.path().join("box"), &[KINDS]);
    let script = "cd /proc/self/ns; readlink cgroup ipc mnt net time user uts";
    let inside = pinned.run(&["sh", "-c", script]);
    assert_eq!(inside, pinned.run(&["sh", "-c", script]), "still the same");
    let links: Vec<_> = inside.lines().map(PathBuf::from).collect();
    assert_eq!(links.len(), 7);
    let processes = std::fs::read_dir("/proc").unwrap();
    for process in processes.map(|entry| entry.unwrap().path()) {
        for link in &links {
            let kind = link.to_str().unwrap().split(':').next().unwrap();
            let theirs = std::fs::read_link(process.join("ns").join(kind));
            assert_ne!(theirs.ok().as_ref(), Some(link), "{process:?}");
        }
    }
}

#[test]
fn a_pinned_user_namespace_keeps_its_map_and_who_enters_is_its_root() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let pinned = Pinned::new(scratch.path().join("box"), &["-U", "-u"]);
    let script = "id -u; tr -s ' ' < /proc/self/uid_map; hostname mine";
    let seen = pinned.run(&["sh", "-c", script]);
    assert_eq!(seen, "0\n 0 0 1\n");
    assert_eq!(pinned.run(&["hostname"]), "mine\n");
}

#[test]
fn unpin_leaves_no_mount_and_no_directory() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.path().join("box");
    let pinned = Pinned::new(dir.clone(), &["-m", "-n"]);
    assert!(mounted(&dir));
    stdout(&["unpin", pinned.name()]);
    assert!(!dir.exists() && !mounted(&dir));
}

#[test]
fn a_pid_namespace_is_refused_with_the_reason() {
    let said = refusal(&isolate(&["pin", "--pid", "--net", "/nowhere/box"]));
    assert!(said.contains("ends with its process 1"), "{said}");
}

#[test]
fn nothing_to_pin_is_refused() {
    let said = refusal(&isolate(&["pin", "/nowhere/box"]));
    assert!(said.contains("no namespace to pin\nhint: "), "{said}");
}

#[test]
fn a_directory_that_exists_is_not_touched() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.path().to_str().unwrap();
    let said = refusal(&isolate(&["pin", "--net", dir]));
    assert!(said.contains("= EEXIST") && said.contains("hint: "), "{said}");
    let said = refusal(&isolate(&["unpin", dir]));
    assert!(said.contains("holds no namespaces"), "{said}");
    assert!(scratch.path().is_dir() && !mounted(scratch.path()));
}

#[test]
fn who_may_not_mount_is_told_so_and_leaves_no_directory() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let parent = scratch.path().join("parent");
    std::fs::create_dir(&parent).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&parent, mode).unwrap();
    let dir = parent.join("box");
    let args = ["pin", "-U", "-u", dir.to_str().unwrap()];
    let said = refusal(&as_nobody(&scratch, &args));
    assert!(said.contains("= EPERM") && said.contains("hint: "), "{said}");
    assert!(!dir.exists());
}

fn mounted(dir: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    mounts.contains(dir.to_str().unwrap())
}
