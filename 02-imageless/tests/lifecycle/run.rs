//! `run`: the container's exit code, its signals, and nothing left behind.

use super::driver::{LIMIT, on_each_runtime, on_ours};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use testkit::{Need, eventually, requires};

#[test]
fn run_exits_as_the_container_did_and_deletes_it() {
    on_each_runtime(&[], |driver| {
        for code in [0, 7, 200] {
            driver.set_script(&format!("exit {code}"));
            let answer = driver.verb(&["run"]);
            assert_eq!(answer.status.code(), Some(code), "{answer:?}");
            driver.fails(&["state"]);
        }
    });
}

#[test]
fn run_exits_with_128_plus_the_signal_that_ended_the_container() {
    on_each_runtime(&["sleep", "60"], |driver| {
        let run = driver.command(&["run", driver.id()]).spawn().unwrap();
        eventually(LIMIT, "the container runs", || {
            let state = driver.verb(&["state"]);
            state.stdout.contains("\"running\"").then_some(())
        });
        driver.ok(&["kill", "KILL"]);
        assert_eq!(driver.answer(run).status.code(), Some(137));
    });
}

#[test]
fn a_signal_to_the_runtime_reaches_the_container() {
    on_each_runtime(&[], |driver| {
        driver.set_script("trap 'exit 9' TERM; echo ready; sleep 60 & wait");
        let run = driver.spawn(&["run", driver.id()]);
        eventually(LIMIT, "the trap is set", || {
            (driver.read("stdout") == "ready\n").then_some(())
        });
        kill(Pid::from_raw(run.id() as i32), Signal::SIGTERM).unwrap();
        assert_eq!(driver.answer(run).status.code(), Some(9));
    });
}

/// The container is in a session of its own, so the terminal does not know it.
#[test]
fn ctrl_c_on_the_runtimes_terminal_reaches_the_container() {
    if !requires(&[Need::Program("script")]) {
        return;
    }
    on_ours(&[], |driver| {
        driver.set_script("trap 'exit 9' INT; echo ready; sleep 60 & wait");
        let run = driver.command(&["run", driver.id()]);
        let words: Vec<_> = [run.get_program()]
            .into_iter()
            .chain(run.get_args())
            .map(|word| word.to_str().expect("our paths are text"))
            .collect();
        let mut script = Command::new("script")
            .args(["--quiet", "--return", "--flush", "--command"])
            // script(1) asks $SHELL, and dash does not become its last command
            // by itself: it would die of the Ctrl-C that is meant for `run`.
            .arg(format!("exec {}", words.join(" ")))
            .arg(driver.scratch.path().join("terminal"))
            .current_dir(driver.bundle.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("script was found");
        eventually(LIMIT, "the trap is set", || {
            driver.read("terminal").contains("ready").then_some(())
        });
        let mut keyboard = script.stdin.take().expect("it is piped");
        keyboard.write_all(b"\x03").expect("script reads it");
        let status = script.wait().expect("nobody else reaps it");
        assert_eq!(status.code(), Some(9));
    });
}

#[test]
fn a_detached_run_returns_while_the_container_runs() {
    on_each_runtime(&["sleep", "60"], |driver| {
        driver.ok(&["run", "--detach"]);
        assert_eq!(driver.status(), "running");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_mount_namespace_is_joined_by_its_path() {
    on_each_runtime(&["readlink", "/proc/self/ns/mnt"], |driver| {
        let mut holder = Command::new("unshare")
            .args(["--mount", "sh", "-c", "echo there; read line"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare(1) is everywhere");
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it is there");
        let path = format!("/proc/{}/ns/mnt", holder.id());
        driver.set(
            "/linux/namespaces",
            json!([{"type": "pid"}, {"type": "uts"}, {"type": "mount", "path": path}]),
        );
        let namespace = fs::read_link(&path).expect("the holder lives");
        let output = driver.output();
        drop(holder.stdin.take());
        holder.wait().expect("it is ours to reap");
        let name = &driver.runtime.name;
        assert_eq!(output.trim_end(), namespace.as_os_str(), "{name}");
    });
}
