//! What process 1 owes the others, and that ours does it. `isolate --pid`
//! without `--init` stands for the reference, `unshare --pid --fork`: there the
//! command is process 1.

use crate::run::{BUSY, ISOLATE, Running, isolate, stdout, text};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::process::Command;
use std::time::Duration;
use testkit::{Bundle, Need, Scratch, eventually, requires};

const SOON: Duration = Duration::from_secs(5);

/// Lists the children of a process with their states, as procfs tells.
fn children(parent: u32) -> Vec<(u32, char)> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let pids = fs::read_to_string(path).unwrap_or_default();
    let state = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some((pid, stat.rsplit_once(") ")?.1.chars().next()?))
    };
    pids.split_whitespace().filter_map(|pid| state(pid.parse().ok()?)).collect()
}

/// Starts a command that leaves an orphan behind, and that never waits for one.
/// Gives it together with process 1.
fn with_an_orphan(option: &str) -> (Running, u32) {
    // It ends once the shell has become head(1): a shell would reap it.
    let script = "(while read name </proc/$$/comm; [ $name != head ]; \
                  do :; done &); echo ready; exec head -n 1";
    let args = [option, "--mount", "--", "sh", "-c", script];
    let mut running = Running::start(&args);
    assert_eq!(running.line(), "ready");
    let init = children(running.process.id())[0].0;
    (running, init)
}

#[test]
fn an_orphan_that_has_ended_is_reaped() {
    if !requires(&[Need::Root]) {
        return;
    }
    let (running, init) = with_an_orphan("--init");
    eventually(SOON, "only the command is left", || {
        matches!(children(init).as_slice(), [(_, state)] if *state != 'Z')
            .then_some(())
    });
    assert_eq!(running.finish(), Some(0));
}

#[test]
fn without_init_it_stays_a_zombie() {
    if !requires(&[Need::Root]) {
        return;
    }
    let (running, init) = with_an_orphan("--pid");
    eventually(SOON, "the orphan is a zombie", || {
        matches!(children(init).as_slice(), [(_, 'Z')]).then_some(())
    });
    assert_eq!(running.finish(), Some(0));
}

/// Sends a signal to isolate(1).
fn send(running: &Running, signal: Signal) {
    kill(Pid::from_raw(running.process.id() as i32), signal).unwrap();
}

#[test]
fn signals_reach_the_command() {
    if !requires(&[Need::Root]) {
        return;
    }
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGUSR1] {
        let name = signal.as_str().trim_start_matches("SIG");
        let script = format!("trap 'exit 7' {name}; echo ready; {BUSY}");
        let mut running =
            Running::start(&["--init", "--", "sh", "-c", &script]);
        assert_eq!(running.line(), "ready");
        send(&running, signal);
        assert_eq!(running.process.wait().unwrap().code(), Some(7), "{name}");
    }
}

const NO_HANDLER: [&str; 4] = ["--", "sh", "-c", "echo ready; exec head -n 1"];

#[test]
fn a_command_without_a_handler_is_ended_by_a_signal() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = [&["--init"], &NO_HANDLER[..]].concat();
    let mut running = Running::start(&args);
    assert_eq!(running.line(), "ready");
    send(&running, Signal::SIGTERM);
    assert_eq!(running.process.wait().unwrap().code(), Some(143));
}

#[test]
fn without_init_the_kernel_drops_that_signal() {
    if !requires(&[Need::Root]) {
        return;
    }
    let args = [&["--pid"], &NO_HANDLER[..]].concat();
    let mut running = Running::start(&args);
    assert_eq!(running.line(), "ready");
    send(&running, Signal::SIGTERM);
    assert_eq!(running.finish(), Some(0));
}

#[test]
fn init_ends_as_the_command_ends() {
    if !requires(&[Need::Root]) {
        return;
    }
    let code = |command: &[&str]| {
        isolate(&[&["--init", "--"], command].concat()).status.code()
    };
    assert_eq!(code(&["sh", "-c", "exit 200"]), Some(200));
    assert_eq!(code(&["sh", "-c", "kill -KILL $$"]), Some(137));
    assert_eq!(code(&["no-such-command"]), Some(127));
}

#[test]
fn what_the_command_leaves_behind_dies_with_init() {
    if !requires(&[Need::Root]) {
        return;
    }
    // It holds standard output open: until it is dead, this call waits.
    let script = "sleep 1000 & echo left";
    assert_eq!(stdout(&["--init", "--", "sh", "-c", script]), "left\n");
}

#[test]
fn init_shows_its_name_and_the_command_is_its_child() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let script = "echo $$ $PPID; cat /proc/1/comm";
    let args = ["-U", "--mount", "--init", "--", "sh", "-c", script];
    assert_eq!(stdout(&args), "2 1\nisolate: init\n");
}

#[test]
fn init_keeps_no_descriptor_of_the_host() {
    if !requires(&[Need::Root]) {
        return;
    }
    let script = "exec 5</; \"$0\" --init -m -- sh -c 'readlink /proc/1/fd/*'";
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", script, ISOLATE]);
    let fds = text(shell.output().unwrap());
    assert!(!fds.lines().any(|file| file == "/"), "{fds}");
}

#[test]
fn init_needs_nothing_of_the_root_file_system() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let bundle = Bundle::busybox(&scratch, "c", &["true"]);
    let rootfs = bundle.rootfs();
    let rootfs = rootfs.to_str().unwrap();
    let args = ["--init", "--rootfs", rootfs, "--", "/bin/sh", "-c", "echo $$"];
    assert_eq!(stdout(&args), "2\n");
}

#[test]
fn a_terminal_s_shell_can_stop_and_continue_it() {
    if !requires(&[Need::Root, Need::Program("script"), Need::Program("bash")])
    {
        return;
    }
    // The terminal's Ctrl-Z is this signal to the foreground group.
    let job = format!(
        "set -m; {ISOLATE} --init -- sh -c 'kill -TSTP 0; echo continued'; \
         echo \"stopped $?\"; fg >/dev/null; echo \"ended $?\""
    );
    let mut script = Command::new("script");
    script.args(["--quiet", "--command", &job, "/dev/null"]);
    let output = text(script.env("SHELL", "bash").output().unwrap());
    let lines: Vec<_> = output.lines().map(str::trim_end).collect();
    let at = |line| lines.iter().position(|l| *l == line);
    let order = ["stopped 148", "continued", "ended 0"].map(at);
    assert!(order.is_sorted() && order[0].is_some(), "{output}");
}

#[test]
fn an_ignored_sigchld_does_not_hide_the_exit_status() {
    if !requires(&[Need::Root, Need::Program("env")]) {
        return;
    }
    for option in ["--init", "--pid"] {
        let mut env = Command::new("env");
        let env = env.args(["--ignore-signal=CHLD", ISOLATE, option, "--"]);
        let status = env.args(["sh", "-c", "exit 7"]).status().unwrap();
        assert_eq!(status.code(), Some(7), "{option}");
    }
}
