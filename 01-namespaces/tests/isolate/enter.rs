//! Joining what exists: `isolate enter` goes where nsenter(1) goes.

use crate::rootless::as_nobody;
use crate::run::{BUSY, ISOLATE, Running, isolate, refusal, stdout, text};
use namespaces::namespace::Namespace;
use std::path::Path;
use std::process::{Command, Output};
use testkit::{Bundle, Need, Scratch, requires};

const ALL: &str = "-UmpuinCT";
const READ_ALL: &str = "cd /proc/self/ns; readlink user mnt pid uts ipc net \
                        cgroup time";

/// A box with a process in it that waits for the test.
pub(crate) struct Place {
    running: Running,
    pub(crate) pid: String,
}

impl Place {
    /// Makes it with these options; `script` runs in it first.
    pub(crate) fn start(options: &[&str], script: &str) -> Self {
        let script = format!("{script}; echo ready; read go");
        let args = [options, &["--", "sh", "-c", &script]].concat();
        let mut running = Running::start(&args);
        assert_eq!(running.line(), "ready");
        let parent = running.process.id();
        let children = format!("/proc/{parent}/task/{parent}/children");
        let pid = std::fs::read_to_string(children).unwrap();
        Self { running, pid: pid.trim().to_owned() }
    }

    fn enter(&self, options: &[&str], command: &[&str]) -> Output {
        let target = [&self.pid, "--"];
        isolate(&[&["enter"], options, &target, command].concat())
    }

    pub(crate) fn finish(self) {
        assert_eq!(self.running.finish(), Some(0));
    }
}

fn nsenter(pid: &str, options: &[&str], command: &[&str]) -> String {
    let mut nsenter = Command::new("nsenter");
    nsenter.args(["--target", pid]).args(options).args(command);
    text(nsenter.output().unwrap())
}

#[test]
fn it_goes_where_nsenter_goes() {
    if !requires(&[Need::Root, Need::Program("nsenter")]) {
        return;
    }
    let place = Place::start(&[ALL, "--hostname", "inside"], ":");
    let script = format!("{READ_ALL}; hostname; id");
    let command = ["sh", "-c", &script];
    let expected = nsenter(&place.pid, &["--all"], &command);
    assert_eq!(expected.lines().nth(8), Some("inside"), "{expected}");
    assert_eq!(text(place.enter(&[], &command)), expected);
    place.finish();
}

#[test]
fn with_an_option_it_joins_that_namespace_and_no_other() {
    if !requires(&[Need::Root]) {
        return;
    }
    let place = Place::start(&["-mpuinCT"], ":");
    for (option, asked) in [
        ("-p", Namespace::Pid),
        ("-u", Namespace::Uts),
        ("-i", Namespace::Ipc),
        ("-n", Namespace::Net),
        ("-C", Namespace::Cgroup),
        ("-T", Namespace::Time),
    ] {
        let script = READ_ALL;
        let seen = text(place.enter(&[option], &["sh", "-c", script]));
        for (namespace, link) in Namespace::all().zip(seen.lines()) {
            let path = format!("/proc/{}/ns/{}", place.pid, namespace.file());
            let theirs = std::fs::read_link(path).unwrap();
            let same = theirs == Path::new(link);
            let shared = namespace == Namespace::User;
            assert_eq!(same, shared || namespace == asked, "{option}: {link}");
        }
    }
    place.finish();
}

#[test]
fn the_command_is_in_the_pid_namespace_not_only_its_children() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let place = Place::start(&["-U", "--pid", "--mount"], ":");
    let script = "test $$ -gt 1 && test -d /proc/$$ && cat /proc/1/comm";
    assert_eq!(text(place.enter(&[], &["sh", "-c", script])), "sh\n");
    place.finish();
}

#[test]
fn the_exit_code_is_the_command_s_there_too() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let place = Place::start(&["-U", "--pid"], ":");
    let code = |script| place.enter(&[], &["sh", "-c", script]).status.code();
    assert_eq!(code("exit 7"), Some(7));
    assert_eq!(code("kill -KILL $$"), Some(137));
    assert_eq!(place.enter(&[], &["no-such"]).status.code(), Some(127));
    place.finish();
}

#[test]
fn a_signal_for_isolate_reaches_the_command_inside() {
    use nix::sys::signal::{Signal, kill};
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let place = Place::start(&["-U", "--pid"], ":");
    let script = format!("trap 'exit 7' TERM; echo ready; {BUSY}");
    let args = ["enter", &place.pid, "--", "sh", "-c", &script];
    let mut inside = Running::start(&args);
    assert_eq!(inside.line(), "ready");
    let pid = nix::unistd::Pid::from_raw(inside.process.id() as i32);
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(inside.process.wait().unwrap().code(), Some(7));
    place.finish();
}

#[test]
fn its_root_and_working_directory_are_the_process_s() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let bundle = Bundle::busybox(&scratch, "c", &["true"]);
    let rootfs = bundle.rootfs();
    let options = ["--pid", "--rootfs", rootfs.to_str().unwrap()];
    let place = Place::start(&options, "cd /proc/sys");
    let script = "pwd; readlink /proc/$$/root; ls -d /proc/1";
    let seen = text(place.enter(&[], &["/bin/sh", "-c", script]));
    assert_eq!(seen, "/proc/sys\n/\n/proc/1\n");
    let root = std::fs::read_link(format!("/proc/{}/root", place.pid));
    assert_eq!(root.unwrap(), Path::new("/"));
    place.finish();
}

#[test]
fn a_chroot_is_a_root_too() {
    if !requires(&[Need::Root, Need::Program("chroot")]) {
        return;
    }
    let scratch = Scratch::new();
    let bundle = Bundle::busybox(&scratch, "c", &["true"]);
    let dir = bundle.rootfs().to_str().unwrap().to_owned();
    std::fs::write(bundle.rootfs().join("marker"), "").unwrap();
    let mut chroot = Command::new("chroot");
    chroot.args([&dir, "/bin/sh", "-c", "read go"]);
    let mut process = chroot.stdin(std::process::Stdio::piped()).spawn();
    let process = process.as_mut().unwrap();
    let pid = process.id().to_string();
    let root = format!("/proc/{pid}/root/marker");
    let limit = std::time::Duration::from_secs(5);
    testkit::eventually(limit, "it is in its root", || {
        Path::new(&root).exists().then_some(())
    });
    let seen = stdout(&["enter", &pid, "--", "/bin/sh", "-c", "ls /marker"]);
    assert_eq!(seen, "/marker\n");
    drop(process.stdin.take());
    process.wait().unwrap();
}

#[test]
fn the_command_inherits_nothing_above_stderr_there_too() {
    if !requires(&[Need::Root]) {
        return;
    }
    let place = Place::start(&["--uts"], ":");
    let script = r#"exec 5</dev/null; "$0" enter "$1" -- ls /proc/self/fd"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, ISOLATE, &place.pid]);
    // 3 is the directory that ls(1) reads.
    assert_eq!(text(shell.output().unwrap()), "0\n1\n2\n3\n");
    place.finish();
}

#[test]
fn it_joins_the_cgroup_unless_told_not_to() {
    if !requires(&[Need::Root]) {
        return;
    }
    let place = Place::start(&["--pids", "9"], ":");
    let cgroup = |options: &[&str]| {
        text(place.enter(options, &["cat", "/proc/self/cgroup"]))
    };
    let theirs = format!("/proc/{}/cgroup", place.pid);
    assert_eq!(cgroup(&[]), std::fs::read_to_string(theirs).unwrap());
    let ours = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    assert_eq!(cgroup(&["--no-cgroup"]), ours);
    place.finish();
}

#[test]
fn an_ordinary_user_enters_their_own_box_and_is_root_there() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let script = r#""$0" -mu --hostname mine -- sh -c 'echo $$; exec sleep 99' |
        { read pid; "$0" enter $pid -- sh -c 'hostname; id -u'; kill $pid; }"#;
    let program = scratch.path().join("isolate");
    let command = ["--", "sh", "-c", script, program.to_str().unwrap()];
    assert_eq!(text(as_nobody(&scratch, &command)), "mine\n0\n");
}

#[test]
fn it_refuses_what_it_cannot_enter_in_one_clear_line() {
    let output = isolate(&["enter", "999999999", "--", "true"]);
    let call = "isolate: pidfd_open(999999999) = ";
    assert!(refusal(&output).starts_with(call), "{output:?}");
    let output = isolate(&["enter", "/etc", "--", "true"]);
    let message = "isolate: no namespaces in \"/etc\"\nhint: ";
    assert!(refusal(&output).starts_with(message), "{output:?}");
    let said = refusal(&isolate(&["enter", "0", "--", "true"]));
    assert!(said.contains("\"0\" is not the number of a process"), "{said}");
    assert!(refusal(&isolate(&["enter"])).contains("missing: <PID|DIR>"));
}

#[test]
fn a_file_that_is_no_namespace_is_refused_and_not_waited_for() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let dir = scratch.path().to_str().unwrap();
    let script = format!("mkfifo {dir}/net; timeout 9 $0 enter {dir} true");
    let mut sh = Command::new("sh");
    let said = refusal(&sh.args(["-c", &script, ISOLATE]).output().unwrap());
    assert!(said.contains("hint: the file is no namespace"), "{said}");
}

#[test]
fn a_command_named_as_a_subcommand_goes_behind_two_dashes() {
    let plan = stdout(&["--plan", "--", "enter", "1"]);
    assert!(plan.contains(r#"execve("enter", ["enter", "1"], ..)"#), "{plan}");
}

#[test]
fn it_knows_the_exit_code_although_its_parent_ignored_sigchld() {
    if !requires(&[Need::Root]) {
        return;
    }
    let place = Place::start(&["--uts"], "true");
    let mut env = Command::new("env");
    env.args(["--ignore-signal=CHLD", ISOLATE, "enter", &place.pid]);
    let output = env.args(["--", "sh", "-c", "exit 3"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    place.finish();
}
