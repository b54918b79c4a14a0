//! Ann with cgroups that root has given her: her containers get one there, with
//! all that depends on it.

use crate::limit_processes;
use crate::user::{ANN, User, on_each_runtime};
use namespaces::cgroup::{Cgroup, Version};
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

/// Where a runtime is told to make the cgroup.
#[derive(Clone, Copy)]
enum Place {
    /// linux.cgroupsPath says it.
    Given,
    /// Nothing says it: the runtime has to find out.
    Found,
}

/// What root gives to Ann. It is removed when this value is dropped.
struct Delegation {
    /// The part of the tree that is hers.
    top: PathBuf,
    /// Where she lives in it: on v2 only leaves may have processes.
    home: Cgroup,
}

impl Delegation {
    /// Does what cgroups(7) tells under "Cgroups delegation".
    fn new(tag: &str) -> Self {
        let top = Path::new("/").join(format!("ann-{tag}"));
        let home = Cgroup::create(&top.join("home")).expect("we are root");
        for dir in home.paths() {
            give(dir.parent().expect("it is below the part"));
            give(dir);
        }
        Self { top, home }
    }

    fn dirs(&self) -> Vec<PathBuf> {
        self.home.paths().into_iter().map(Path::to_owned).collect()
    }

    /// Where the container's cgroup has to be: on v2 not below her own.
    fn expected(&self, place: Place, id: &str) -> Cgroup {
        let path = match (place, self.home.version()) {
            (Place::Given, _) => self.top.join("box"),
            (Place::Found, Version::V1) => {
                self.top.join("home").join(format!("imageless-{id}"))
            }
            (Place::Found, Version::V2) => {
                self.top.join(format!("imageless-{id}"))
            }
        };
        Cgroup::open(&path).expect("cgroups are mounted")
    }
}

/// Makes Ann the owner of a cgroup.
fn give(dir: &Path) {
    let files = ["", "cgroup.procs", "cgroup.subtree_control"];
    let files = files.map(|name| dir.join(name));
    for file in files.iter().filter(|file| file.exists()) {
        chown(file, Some(ANN), Some(ANN)).expect("we are root");
    }
}

/// Starts a container with at most five processes in a delegated part, calls
/// `test` with its cgroup, then deletes the container.
fn in_each_place(test: impl Fn(&User, &Cgroup)) {
    on_each_runtime(|user| {
        let delegation = Delegation::new(user.id());
        user.live_in(delegation.dirs());
        // runc makes no cgroup for an ordinary user where it is not told to.
        let places = match user.is_ours() {
            true => &[Place::Given, Place::Found][..],
            false => &[Place::Given],
        };
        for place in places {
            user.edit(|spec| {
                limit_processes(spec);
                let linux = spec.linux_mut().as_mut().expect("it has one");
                linux.set_cgroups_path(match place {
                    Place::Given => Some(delegation.top.join("box")),
                    Place::Found => None,
                });
            });
            user.start("sleep 60");
            let cgroup = delegation.expected(*place, user.id());
            let pids = cgroup.pids().expect("it is there");
            assert!(pids.contains(&user.init()), "{pids:?}");
            test(user, &cgroup);
            let (code, said) = user.verb_with("delete", &["--force"], &[]);
            assert_eq!(code, Some(0), "{said}");
            assert!(!cgroup.paths().iter().any(|dir| dir.exists()));
        }
    });
}

#[test]
fn limits_hold_in_a_delegated_cgroup() {
    in_each_place(|_, cgroup| {
        let files = cgroup.paths().into_iter().map(|d| d.join("pids.max"));
        let file = files.into_iter().find(|file| file.exists());
        let limit = fs::read_to_string(file.expect("one has the controller"));
        assert_eq!(limit.expect("it can be read"), "5\n");
    });
}

#[test]
fn a_container_in_a_delegated_cgroup_is_paused_and_resumed() {
    in_each_place(|user, cgroup| {
        assert_eq!(user.verb("pause", &[]).0, Some(0));
        assert!(cgroup.is_frozen().expect("it is there"));
        assert_eq!(user.verb("resume", &[]).0, Some(0));
        assert!(!cgroup.is_frozen().expect("it is there"));
    });
}

#[test]
fn ps_lists_who_is_in_a_delegated_cgroup() {
    in_each_place(|user, _| {
        let (code, said) = user.verb_with("ps", &["--format", "json"], &[]);
        // Before it, runc warns that it has looked into no cgroup of its own.
        let last = said.lines().rfind(|line| !line.is_empty());
        let pids = last.and_then(|line| serde_json::from_str(line).ok());
        let pids: Vec<i32> = pids.expect(&said);
        // The shell, and its sleep.
        assert_eq!((code, pids.len()), (Some(0), 2));
        assert!(pids.contains(&user.init().as_raw()), "{pids:?}");
    });
}
