//! What `isolate inspect` tells of a process is what the kernel's own files and
//! the tools of util-linux tell.

use crate::enter::Place;
use crate::rootless::as_nobody;
use crate::run::{isolate, refusal, stdout, text};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;
use testkit::{Need, Scratch, eventually, requires};

const LIMIT: Duration = Duration::from_secs(5);

const KINDS: [&str; 8] =
    ["user", "mnt", "pid", "uts", "ipc", "net", "cgroup", "time"];

/// Gives what it tells of one process, for programs.
fn json(pid: &str) -> Value {
    let all: Value =
        serde_json::from_str(&stdout(&["inspect", "--json", pid])).unwrap();
    all.as_array().unwrap()[0].clone()
}

fn namespace<'a>(inspection: &'a Value, kind: &str) -> &'a Value {
    let all = inspection["namespaces"]["all"].as_array().unwrap();
    all.iter().find(|one| one["type"] == kind).unwrap()
}

/// Gives what stands behind a key, in the form for people.
fn line<'a>(page: &'a str, key: &str) -> &'a str {
    let mut lines = page.lines().map(str::trim);
    let value =
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix("  "));
    value.unwrap_or_else(|| panic!("no {key} in {page}")).trim()
}

#[test]
fn namespaces_are_the_kernel_s_and_those_that_were_made_are_not_the_host_s() {
    if !requires(&[Need::Root]) {
        return;
    }
    let place = Place::start(&["-puT"], ":");
    let told = json(&place.pid);
    for kind in KINDS {
        let link = std::fs::read_link(format!("/proc/{}/ns/{kind}", place.pid));
        let one = namespace(&told, kind);
        let link_told = format!("{kind}:[{}]", one["id"]);
        assert_eq!(link.unwrap().to_str(), Some(&*link_told));
        let made = ["pid", "uts", "time"].contains(&kind);
        assert_eq!(one["is_host"], !made, "{kind}");
    }
    place.finish();
}

#[test]
fn the_members_of_a_namespace_are_those_that_lsns_counts() {
    if !requires(&[Need::Root, Need::Program("lsns")]) {
        return;
    }
    let place = Place::start(&["-pn"], "sleep 1000 & :");
    let mut lsns = Command::new("lsns");
    let lsns = lsns.args(["--json", "--task", &place.pid, "--output"]);
    let lsns = lsns.arg("TYPE,NPROCS");
    // It gives up when any process of the machine ends while it looks.
    let lsns = eventually(LIMIT, "lsns has seen all processes", || {
        Some(lsns.output().unwrap()).filter(|seen| seen.status.success())
    });
    let lsns = text(lsns);
    let lsns: Value = serde_json::from_str(&lsns).unwrap();
    let told = json(&place.pid);
    for kind in ["pid", "net"] {
        let rows = lsns["namespaces"].as_array().unwrap();
        let row = rows.iter().find(|row| row["type"] == kind).unwrap();
        let members = &namespace(&told, kind)["processes"];
        assert_eq!(row["nprocs"], 2, "{rows:?}");
        assert_eq!(members.as_array().unwrap().len(), 2, "{members}");
    }
    let sleep = namespace(&told, "pid")["processes"][1].to_string();
    assert_eq!(json(&sleep)["init"].to_string(), place.pid);
    assert_eq!(json(&sleep)["parent"].to_string(), place.pid);
    assert_eq!(json(&sleep)["pids"].as_array().unwrap().last().unwrap(), 2);
    assert_eq!(line(&stdout(&["inspect", &place.pid]), "init"), "itself");
    place.finish();
}

#[test]
fn a_cgroup_is_told_with_its_limits_and_its_use() {
    if !requires(&[Need::Root]) {
        return;
    }
    let limits = ["--memory", "64M", "--pids", "9", "--cpus", "0.5"];
    let place = Place::start(&limits, ":");
    let told = &json(&place.pid)["cgroups"];
    assert_eq!(told["memory"]["limit"], 64 << 20, "{told}");
    let used = told["memory"]["used"].as_u64().unwrap();
    assert!((1..64 << 20).contains(&used), "{told}");
    assert_eq!(told["pids"]["used"], 1, "{told}");
    assert_eq!(told["pids"]["limit"], 9, "{told}");
    assert_eq!(told["cpu_quota"], 0.5, "{told}");
    let page = stdout(&["inspect", &place.pid]);
    assert_eq!(line(&page, "pids"), "1 of 9");
    assert!(line(&page, "memory").ends_with(" of 64M"), "{page}");
    place.finish();
}

#[test]
fn rights_are_those_that_setpriv_left() {
    if !requires(&[Need::Root, Need::Program("setpriv")]) {
        return;
    }
    let script = "exec setpriv --no-new-privs --bounding-set -all,+kill,+chown \
                  sh -c 'echo ready; read go'";
    let place = Place::start(&["--uts"], script);
    let told = json(&place.pid);
    assert_eq!(told["no_new_privs"], true, "{told}");
    assert_eq!(told["seccomp"]["mode"], "disabled", "{told}");
    let two = serde_json::json!(["CAP_CHOWN", "CAP_KILL"]);
    assert_eq!(told["capabilities"]["bounding"], two);
    assert_eq!(told["capabilities"]["effective"], two);
    let page = stdout(&["inspect", &place.pid]);
    assert_eq!(line(&page, "effective"), "chown,kill");
    assert_eq!(line(&page, "ambient"), "none");
    assert_eq!(line(&page, "no_new_privs"), "yes");
    place.finish();
}

#[test]
fn mounts_are_those_that_findmnt_finds() {
    if !requires(&[Need::Root, Need::Program("findmnt")]) {
        return;
    }
    let place = Place::start(&["-m"], "mount -t tmpfs none /mnt");
    let mut findmnt = Command::new("findmnt");
    findmnt.args(["--task", &place.pid, "--list", "--json", "--output"]);
    let findmnt = text(findmnt.arg("TARGET,FSTYPE").output().unwrap());
    let findmnt: Value = serde_json::from_str(&findmnt).unwrap();
    let pairs = |rows: &Value| -> Vec<(String, String)> {
        let rows = rows.as_array().unwrap().iter();
        let pair = |row: &Value| {
            (row["target"].to_string(), row["fstype"].to_string())
        };
        let mut pairs: Vec<_> = rows.map(pair).collect();
        pairs.sort();
        pairs
    };
    let told = pairs(&json(&place.pid)["mounts"]);
    assert_eq!(told, pairs(&findmnt["filesystems"]));
    assert!(told.contains(&(r#""/mnt""#.into(), r#""tmpfs""#.into())));
    place.finish();
}

#[test]
fn ids_and_their_map_are_told_as_we_see_them() {
    if !requires(&[Need::Root]) {
        return;
    }
    let place = Place::start(&["-U"], ":");
    let page = stdout(&["inspect", &place.pid]);
    assert_eq!(line(&page, "uid_map"), "0 is 0");
    assert_eq!(json(&place.pid)["uid_map"][0]["count"], 1);
    place.finish();
}

#[test]
fn a_process_beside_itself_differs_in_nothing() {
    let own = std::process::id().to_string();
    let both = stdout(&["inspect", &own, &own]);
    let marks = [" | ", " < ", " > "];
    // What it uses may change from one look to the next.
    let busy = ["  memory", "  cpu", "  pids", "  oom", "  swap"];
    for line in both.lines() {
        let marked = marks.iter().any(|mark| line.contains(mark));
        let busy = busy.iter().any(|key| line.starts_with(key));
        assert!(!marked || busy, "{line}");
    }
}

#[test]
fn beside_another_the_rows_that_differ_are_marked() {
    if !requires(&[Need::Root]) {
        return;
    }
    let place = Place::start(&["-u"], ":");
    let own = std::process::id().to_string();
    let both = stdout(&["inspect", &place.pid, &own]);
    let row = |key| both.lines().find(|l| l.starts_with(key)).unwrap();
    assert!(row("  uts").contains(" | "), "{both}");
    assert!(!row("  net").contains(" | "), "{both}");
    let all = stdout(&["inspect", "--json", &place.pid, &own]);
    let all: Value = serde_json::from_str(&all).unwrap();
    assert_eq!(all[0]["pid"].to_string(), place.pid);
    assert_eq!(all[1]["pid"].to_string(), own);
    place.finish();
}

#[test]
fn what_an_ordinary_user_may_not_read_says_so_and_the_rest_is_told() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let own = std::process::id().to_string();
    let page = text(as_nobody(&scratch, &["inspect", &own]));
    assert_eq!(line(&page, "net"), "not readable: EACCES");
    assert_eq!(line(&page, "root"), "not readable: EACCES");
    assert_eq!(line(&page, "pid"), own);
    assert_eq!(line(&page, "uid_map"), "every id is itself");
}

#[test]
fn what_is_no_process_is_refused_in_one_line() {
    let said = |args: &[&str]| refusal(&isolate(args));
    let none = said(&["inspect", "999999999"]);
    assert!(none.starts_with("isolate: pidfd_open(999999999) = "), "{none}");
    for word in ["0", "-1", "sh", "1.5"] {
        let no = said(&["inspect", "--", word]);
        assert!(no.contains("not the number of a process"), "{word}: {no}");
    }
    assert!(said(&["inspect"]).contains("missing: <PID>"));
}

#[test]
fn a_process_that_nobody_has_waited_for_has_ended() {
    let mut dead = Command::new("true").spawn().unwrap();
    let pid = dead.id().to_string();
    let said = eventually(LIMIT, "it has ended", || {
        let output = isolate(&["inspect", &pid]);
        (!output.status.success()).then(|| refusal(&output))
    });
    assert!(said.contains(&format!("process {pid} has ended")), "{said}");
    dead.wait().unwrap();
}
