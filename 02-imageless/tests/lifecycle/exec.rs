//! `exec`: one more process in a container that is there.

use super::driver::{Answer, Driver, LIMIT, OURS, on_each_runtime};
use super::screen::sent_by;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs;
use testkit::{Need, Screen, eventually, requires};

const SLEEP: &[&str] = &["sleep", "60"];

/// Runs `test` on each runtime in a container that runs.
fn in_a_container(test: impl Fn(&Driver)) {
    on_each_runtime(SLEEP, |driver| {
        driver.ok(&["run", "--detach"]);
        test(driver);
        driver.ok(&["delete", "--force"]);
    });
}

/// `exec OPTIONS ID sh -c SCRIPT`.
fn sh<T: AsRef<str>>(driver: &Driver, options: &[T], script: &str) -> Answer {
    let options: Vec<_> = options.iter().map(AsRef::as_ref).collect();
    let command = [driver.id(), "sh", "-c", script];
    driver.call(&[&["exec"], &options[..], &command].concat())
}

/// No options.
const NONE: &[&str] = &[];

fn detached(driver: &Driver) -> [String; 3] {
    let file = driver.scratch.path().join("pid").display().to_string();
    ["--detach".into(), "--pid-file".into(), file]
}

/// Ends and reaps the program of a detached exec, as an engine's shim does: the
/// container's init cannot end before it.
fn end(driver: &Driver) {
    let pid = Pid::from_raw(driver.read("pid").parse().expect("a pid"));
    // ESRCH: it has ended by itself.
    let _ = kill(pid, Signal::SIGKILL);
    waitpid(pid, None).expect("we are its subreaper");
}

/// The file for `exec --process`.
fn process(driver: &Driver, process: &Value) -> String {
    let file = driver.scratch.path().join("process.json");
    fs::write(&file, process.to_string()).expect(OURS);
    file.to_str().expect("our paths are text").to_owned()
}

#[test]
fn a_program_joins_the_containers_namespaces() {
    in_a_container(|driver| {
        let kinds = ["mnt", "pid", "uts", "ipc", "net"];
        let links = |pid: &str| {
            let list = kinds.join(" ");
            let each = format!("readlink /proc/{pid}/ns/$kind");
            sh(driver, NONE, &format!("for kind in {list}; do {each}; done"))
        };
        let (ours, inits) = (links("self"), links("1"));
        assert_eq!(ours.stdout, inits.stdout, "{}", driver.runtime.name);
        assert_eq!(ours.stdout.lines().count(), kinds.len());
        for (kind, line) in kinds.iter().zip(ours.stdout.lines()) {
            let host = fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
            assert_ne!(host.to_str(), Some(line));
        }
    });
}

#[test]
fn a_program_is_in_the_containers_cgroup() {
    in_a_container(|driver| {
        let own = sh(driver, NONE, "cat /proc/self/cgroup").stdout;
        let inits = sh(driver, NONE, "cat /proc/1/cgroup").stdout;
        assert_eq!(own, inits, "{}", driver.runtime.name);
    });
}

#[test]
fn exec_exits_as_the_program_did() {
    in_a_container(|driver| {
        for (script, code) in
            [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)]
        {
            let answer = sh(driver, NONE, script);
            assert_eq!(answer.status.code(), Some(code), "{answer:?}");
        }
    });
}

#[test]
fn a_program_that_is_not_there_is_exits_255() {
    in_a_container(|driver| {
        let answer = driver.call(&["exec", driver.id(), "bahs"]);
        assert_eq!(answer.status.code(), Some(255), "{answer:?}");
        // podman looks for these words.
        assert!(answer.stderr.contains("executable file not found"));
    });
}

#[test]
fn standard_input_and_output_are_the_callers() {
    in_a_container(|driver| {
        let input = driver.scratch.path().join("input");
        fs::write(&input, "by a pipe\n").expect(OURS);
        let mut exec = driver.command(&["exec", driver.id(), "cat"]);
        let exec = exec.stdin(fs::File::open(input).expect(OURS));
        let output = exec.output().expect("the runtime was found");
        assert_eq!(output.stdout, b"by a pipe\n");
    });
}

#[test]
fn options_change_the_containers_own_process() {
    in_a_container(|driver| {
        for (options, script, text) in [
            (&["--cwd", "/tmp"][..], "pwd", "/tmp"),
            (&["--env", "A=b c"], "echo $A", "b c"),
            (&["--user", "5:6"], "id -u; id -g", "5\n6"),
            (&["--user", "5"], "id -u", "5"),
            (&["-g", "7", "-g", "8"], "id -G", "0 7 8"),
            (&[], "echo $PATH | grep -c bin", "1"),
            (
                &["--no-new-privs"],
                "grep NoNew /proc/self/status",
                "NoNewPrivs:\t1",
            ),
        ] {
            let answer = sh(driver, options, script);
            assert_eq!(
                answer.stdout.trim_end(),
                text,
                "{options:?} {answer:?}"
            );
        }
    });
}

#[test]
fn an_added_capability_is_there_and_not_inheritable() {
    in_a_container(|driver| {
        let script = "grep -E 'Cap(Inh|Eff)' /proc/self/status";
        let without = sh(driver, NONE, script).stdout;
        let with = sh(driver, &["--cap", "CAP_SYS_ADMIN"], script).stdout;
        let set = |text: &str, name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name));
            u64::from_str_radix(value.expect(name).trim(), 16).expect(name)
        };
        let admin = 1 << 21;
        assert_eq!(set(&without, "CapEff:") & admin, 0);
        assert_eq!(set(&with, "CapEff:") & admin, admin, "{with}");
        assert_eq!(set(&with, "CapInh:") & admin, 0, "{with}");
    });
}

#[test]
fn a_process_comes_from_a_file_too() {
    in_a_container(|driver| {
        let file = process(
            driver,
            &json!({
                "args": ["sh", "-c", "pwd; id -u; echo $A"], "cwd": "/tmp",
                "env": ["A=b", "PATH=/bin"], "user": {"uid": 9, "gid": 9},
            }),
        );
        // podman's conmon says --tty too; the file decides.
        let args = ["exec", "--process", &file, "--tty", driver.id()];
        let answer = driver.call(&args);
        assert_eq!(answer.stdout, "/tmp\n9\nb\n", "{answer:?}");
    });
}

#[test]
fn a_detached_exec_returns_and_leaves_its_pid() {
    in_a_container(|driver| {
        let answer = sh(driver, &detached(driver), "exec sleep 61");
        assert!(answer.status.success(), "{answer:?}");
        let pid = driver.read("pid");
        eventually(LIMIT, "it becomes the program", || {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline"));
            (line.unwrap_or_default() == "sleep\x0061\0").then_some(())
        });
        end(driver);
    });
}

#[test]
fn who_listens_on_the_console_socket_talks_with_the_new_program() {
    in_a_container(|driver| {
        let script = "read line; echo got $line; tty";
        let mut screen = sent_by(driver, |socket| {
            let console = ["--tty", "--console-socket", socket];
            let options = [&detached(driver)[..], &console.map(Into::into)];
            let answer = sh(driver, &options.concat(), script);
            assert!(answer.status.success(), "{answer:?}");
        });
        screen.types("hello\n");
        screen.shows("got hello");
        screen.shows("/dev/pts/0");
        end(driver);
    });
}

#[test]
fn in_the_foreground_a_new_program_has_a_terminal_of_its_own() {
    if !requires(&[Need::Program("setsid")]) {
        return;
    }
    in_a_container(|driver| {
        let args = ["exec", "-t", driver.id(), "sh", "-c"];
        let script = "trap 'exit 9' INT; echo ready; while :; do :; done";
        let exec = driver.command(&[&args[..], &[script]].concat());
        let (mut screen, mut child) = Screen::around(&exec);
        screen.shows("ready");
        screen.types("\x03");
        assert_eq!(child.wait().expect("it is ours").code(), Some(9));
    });
}

#[test]
fn a_new_program_has_no_descriptor_but_the_three() {
    in_a_container(|driver| {
        // The fourth is the directory itself, opened by ls.
        let answer = driver.call(&["exec", driver.id(), "ls", "/proc/self/fd"]);
        assert_eq!(answer.stdout, "0\n1\n2\n3\n", "{answer:?}");
    });
}

#[test]
fn nothing_is_executed_in_a_container_that_has_stopped() {
    on_each_runtime(&["true"], |driver| {
        driver.ok(&["create"]);
        driver.ok(&["start"]);
        driver.wait_for("stopped");
        let answer = sh(driver, NONE, "true");
        assert_eq!(answer.status.code(), Some(255), "{answer:?}");
        driver.ok(&["delete"]);
    });
}
