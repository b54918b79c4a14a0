//! A cgroup for one test, with shells in it.

use namespaces::cgroup::{Cgroup, Limits};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use testkit::Scratch;

/// A cgroup of its own for one test, and shells that run in it.
pub(crate) struct Group {
    pub(crate) cgroup: Cgroup,
    shells: Vec<Child>,
    // Last: it looks for what the others leave behind.
    _scratch: Scratch,
}

impl Group {
    pub(crate) fn new() -> Self {
        let scratch = Scratch::new();
        let name = PathBuf::from(scratch.id("limits"));
        let cgroup = Cgroup::create(&name).unwrap();
        Self { cgroup, shells: Vec::new(), _scratch: scratch }
    }

    pub(crate) fn with(limits: &Limits) -> Self {
        let group = Self::new();
        group.cgroup.set(limits).unwrap();
        group
    }

    /// Starts a shell that begins its work when it is in the cgroup.
    pub(crate) fn start(&mut self, script: &str) -> &mut Child {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("read go; {script}")]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = command.stderr(Stdio::piped()).spawn().unwrap();
        self.cgroup.add(Pid::from_raw(shell.id() as i32)).unwrap();
        shell.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
        self.shells.push(shell);
        self.shells.last_mut().unwrap()
    }

    /// Gives what a script prints, on both streams.
    pub(crate) fn run(&mut self, script: &str) -> String {
        self.start(&format!("exec 2>&1; {script}"));
        self.output()
    }

    /// Waits for the end of the last shell; gives its standard output.
    pub(crate) fn output(&mut self) -> String {
        let shell = self.shells.last_mut().unwrap();
        let mut text = String::new();
        shell.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        shell.wait().unwrap();
        text
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that ended by itself is no reason to fail.
        let _ = self.cgroup.kill();
        for shell in &mut self.shells {
            let _ = shell.wait();
        }
    }
}
