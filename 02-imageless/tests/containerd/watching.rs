//! What containerd learns of a task: its pid, its use of resources, its
//! events.

use crate::containerd::{PATIENCE, on_each_runtime};
use std::fs::{self, File};
use std::process::Stdio;
use testkit::eventually;

const OURS: &str = "the scratch directory is ours";

#[test]
fn the_pid_file_names_the_tasks_process() {
    on_each_runtime(|ctr| {
        let file = ctr.scratch.path().join("pid");
        let option = file.to_str().expect("our paths are text");
        ctr.start_with(&["--pid-file", option]);
        let pid = fs::read_to_string(&file).expect("ctr has written it");
        let command = format!("/proc/{pid}/cmdline");
        // At first it is the runtime's own.
        eventually(PATIENCE, "the task's program runs", || {
            let command = fs::read_to_string(&command).expect("it lives");
            command.starts_with("sleep").then_some(())
        });
    });
}

#[test]
fn metrics_are_those_of_the_task() {
    on_each_runtime(|ctr| {
        ctr.start_with(&["--memory-limit", "33554432"]);
        // Its shim may not have looked yet: "no metrics received".
        let metrics = eventually(PATIENCE, "there are metrics", || {
            let (code, metrics) = ctr.call(&["task", "metrics", ctr.id()]);
            (code == Some(0)).then_some(metrics)
        });
        let fields: Vec<Vec<_>> = metrics
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert!(fields.contains(&vec!["pids.current", "1"]), "{metrics}");
        let memory = fields.iter().find(|field| {
            field.first().is_some_and(|name| name.starts_with("memory.usage"))
        });
        let bytes = memory.expect("a line on memory")[1].parse::<u64>();
        assert!((1..33_554_432).contains(&bytes.expect("a number")));
    });
}

#[test]
fn events_tell_the_life_of_a_task() {
    on_each_runtime(|ctr| {
        let path = ctr.scratch.path().join("events");
        let file = File::create(&path).expect(OURS);
        let mut events = ctr.command(&["events"]);
        events.stdin(Stdio::null()).stdout(file);
        let mut events = events.spawn().expect("ctr was found");
        let said = || fs::read_to_string(&path).expect(OURS);
        // It does not say when it listens: a name that comes and goes does.
        eventually(PATIENCE, "ctr events listens", || {
            ctr.call(&["namespaces", "create", "heard"]);
            ctr.call(&["namespaces", "remove", "heard"]);
            said().contains("/namespaces/").then_some(())
        });
        ctr.start();
        for verb in ["pause", "resume"] {
            ctr.call(&["task", verb, ctr.id()]);
        }
        ctr.exec(&["true"]);
        ctr.call(&["task", "kill", "--signal", "KILL", ctr.id()]);
        ctr.wait_until_stopped();
        ctr.call(&["task", "rm", ctr.id()]);
        for event in [
            "create",
            "start",
            "paused",
            "resumed",
            "exec-added",
            "exec-started",
            "exit",
            "delete",
        ] {
            eventually(PATIENCE, event, || {
                said().contains(&format!("/tasks/{event} ")).then_some(())
            });
        }
        events.kill().expect("it is our child");
        events.wait().expect("it is our child");
    });
}

#[test]
fn who_takes_more_memory_than_the_limit_is_killed() {
    on_each_runtime(|ctr| {
        let script = "x=a; while :; do x=$x$x; done";
        let (code, _) = ctr.sh(&["--memory-limit", "8388608"], script);
        assert_eq!(code, Some(137));
    });
}
