//! What every pitfall needs: a scratch with a runtime rooted in it, the example
//! programs, and the kernel's view of the processes. This test process is their
//! subreaper, so that orphaned containers come to it instead of init.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use runc_naive::{Force, Runtime, State, Status};
use testkit::{Bundle, Need, RuntimeUnderTest, Scratch};
use testkit::{eventually, example, requires, runtimes, subreaper};

/// Longer than any of this takes on a loaded machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// One runtime at work in one scratch.
pub(crate) struct Rig {
    pub(crate) runtime: Runtime,
    words: Vec<OsString>,
    scratch: Scratch,
}

/// What an example printed.
#[derive(Debug)]
pub(crate) struct Printed(String);

/// Runs `claim` on the reference runtime, then on ours.
pub(crate) fn on_each_runtime(claim: impl Fn(&Rig)) {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    subreaper();
    for runtime in runtimes() {
        eprintln!("on {}:", runtime.name);
        claim(&Rig::new(&runtime));
    }
}

impl Rig {
    /// Waits until the test opens the gate, then says so.
    pub(crate) const WAIT_AT_GATE: &str =
        "until [ -e /var/gate ]; do sleep 0.02; done; echo through the gate";

    fn new(runtime: &RuntimeUnderTest) -> Rig {
        let scratch = Scratch::new();
        let program = runtime.program.clone();
        let root = scratch.state_root();
        let words = vec![program.clone().into(), "--root".into(), root.into()];
        let runtime = Runtime::new(program).args(&words[1..]);
        Rig { runtime, words, scratch }
    }

    pub(crate) fn bundle(&self, name: &str, args: &[&str]) -> Bundle {
        Bundle::busybox(&self.scratch, name, args)
    }

    /// Prepares an example. Its stderr is a file: the container inherits it,
    /// and were it a pipe of ours, we would be in pitfall C6 ourselves.
    pub(crate) fn example(&self, name: &str, bundle: &Bundle) -> Command {
        let stderr = File::create(bundle.path().join("stderr")).unwrap();
        let mut command = Command::new(example(name));
        command.arg(bundle.path()).args(&self.words);
        command.stdin(Stdio::null()).stderr(stderr);
        command
    }

    pub(crate) fn run_example(&self, name: &str, bundle: &Bundle) -> Printed {
        let output = self.example(name, bundle).output().unwrap();
        let stderr = fs::read_to_string(bundle.path().join("stderr")).unwrap();
        assert!(output.status.success(), "{name}: {stderr}");
        Printed(String::from_utf8(output.stdout).unwrap())
    }

    pub(crate) fn wait_for(&self, id: &str, status: Status) -> State {
        eventually(DEADLINE, &format!("{id} is {status}"), || {
            self.runtime.state(id).ok().filter(|state| state.status == status)
        })
    }

    /// Everything that `state` prints, not only what the client reads.
    pub(crate) fn raw_state(&self, id: &str) -> serde_json::Value {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).args(["state", id]);
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
    }

    pub(crate) fn open_gate(&self, bundle: &Bundle) {
        File::create(bundle.rootfs().join("var/gate")).unwrap();
    }

    pub(crate) fn kill_and_delete(&self, id: &str, pid: Pid) {
        self.runtime.kill(id, Signal::SIGKILL as i32).unwrap();
        let killed = WaitStatus::Signaled(pid, Signal::SIGKILL, false);
        assert_eq!(reap(pid), killed);
        self.runtime.delete(id, Force::No).unwrap();
    }
}

impl Printed {
    /// Tells whether it printed `text`, in small or capital letters.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.0.to_lowercase().contains(&text.to_lowercase())
    }

    pub(crate) fn pid_after(&self, words: &str) -> Pid {
        let (_, rest) = self.0.split_once(words).expect("it prints the pid");
        let end =
            rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        Pid::from_raw(rest[..end].parse().unwrap())
    }
}

/// Waits for an orphaned container, which has become our child.
pub(crate) fn reap(pid: Pid) -> WaitStatus {
    waitpid(pid, None).expect("this process is the container's subreaper")
}

/// Pids of a process' children, by the fourth field of proc_pid_stat(5).
pub(crate) fn children(parent: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .map(Pid::from_raw);
    pids.filter(|&pid| stat(pid).is_some_and(|stat| stat.1 == parent)).collect()
}

/// The letter of proc_pid_stat(5): S sleeps, Z is a zombie; none if it is gone.
pub(crate) fn process_state(pid: Pid) -> Option<char> {
    stat(pid).map(|stat| stat.0)
}

fn stat(pid: Pid) -> Option<(char, Pid)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in the second field may hold anything, a parenthesis too.
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    Some((state, Pid::from_raw(fields.next()?.parse().ok()?)))
}

/// Tells whether a signal is in a mask (`SigIgn`, `SigCgt`) of
/// proc_pid_status(5).
pub(crate) fn has_signal(pid: Pid, mask: &str, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(mask)).unwrap();
    let bits = line.trim_start_matches(':').trim();
    u64::from_str_radix(bits, 16).unwrap() >> (signal as i32 - 1) & 1 == 1
}

/// Pipes that a process has open, by inode: proc_pid_fd(5).
pub(crate) fn pipes(pid: Pid) -> BTreeSet<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    entries
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .map(|target| target.to_string_lossy().into_owned())
        .filter(|target| target.starts_with("pipe:"))
        .collect()
}
