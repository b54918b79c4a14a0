//! A machine for tests: Debian's systemd as process 1 of a box that `isolate`
//! makes, with a part of this machine's trees of cgroups.

use super::trees::{Trees, Version};
use serde_json::Value;
use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use testkit::spec::Linux;
use testkit::{
    Bundle, Need, RuntimeUnderTest, Scratch, eventually, requires, runtimes,
};

/// Longer than systemd takes to start on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `test` with the reference and then with ours, on one machine.
pub(crate) fn on_each_runtime(test: impl Fn(&Machine)) {
    on_these(|_| true, test);
}

/// Runs `test` with ours only.
pub(crate) fn on_ours(test: impl Fn(&Machine)) {
    on_these(|runtime| runtime.name != "runc", test);
}

fn on_these(
    wanted: impl Fn(&RuntimeUnderTest) -> bool,
    test: impl Fn(&Machine),
) {
    let programs = ["runc", "nsenter", "dbus-daemon", "/lib/systemd/systemd"];
    let programs = programs.map(Need::Program);
    let layout = Version::here().need();
    if !requires(&[&[Need::Root, layout], &programs[..]].concat()) {
        return;
    }
    for runtime in runtimes().into_iter().filter(wanted) {
        eprintln!("on {}", runtime.name);
        test(&Machine::boot(runtime));
    }
}

/// A running systemd, a runtime and a bundle.
pub(crate) struct Machine {
    runtime: RuntimeUnderTest,
    isolate: Child,
    pid: String,
    pub(crate) bundle: Bundle,
    trees: Trees,
    // Last: it looks for leaks when it is dropped.
    pub(crate) scratch: Scratch,
}

impl Machine {
    fn boot(runtime: RuntimeUnderTest) -> Self {
        let scratch = Scratch::new();
        let bundle = Bundle::busybox(&scratch, "box", &["sleep", "60"]);
        let mut trees = Trees::make(&scratch.id("machine"));
        let script = scratch.path().join("machine.sh");
        fs::write(&script, include_str!("machine.sh")).expect("it is ours");
        let isolate = trees
            .isolate()
            .args(["--", "sh"])
            .arg(script)
            .stdin(Stdio::null())
            .spawn()
            .expect("it is there");
        let pid = isolate.id();
        let children = format!("/proc/{pid}/task/{pid}/children");
        let pid = eventually(PATIENCE, "the box has a process", || {
            let pid = fs::read_to_string(&children).expect("isolate lives");
            (!pid.is_empty()).then(|| pid.trim().to_owned())
        });
        trees.find(&pid);
        let this = Self { runtime, isolate, pid, bundle, trees, scratch };
        eventually(PATIENCE, "systemd answers", || {
            let status = ["busctl", "status", "org.freedesktop.systemd1"];
            this.inside(&status).status.success().then_some(())
        });
        this
    }

    /// Runs a program on the machine.
    pub(crate) fn inside(&self, command: &[&str]) -> Output {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["-t", &self.pid, "-p", "-m", "-u", "-i", "-C", "--"]);
        nsenter.args(command).stdin(Stdio::null());
        nsenter.output().expect("nsenter was found")
    }

    /// Calls the runtime with `--systemd-cgroup`; whether it succeeded, and
    /// what it said.
    pub(crate) fn call(&self, args: &[&str]) -> (bool, String) {
        let runtime = self.runtime.program.to_str().expect("text");
        let fixed = [runtime, "--systemd-cgroup", "--root", "/run/state"];
        let log = self.scratch.path().join("said");
        // To a file: the container inherits it, and would keep a pipe open.
        let script = "exec \"$@\" >\"$0\" 2>&1";
        let shell = ["sh", "-c", script, log.to_str().expect("text")];
        let output = self.inside(&[&shell, &fixed[..], args].concat());
        let said = fs::read_to_string(&log).unwrap_or_default();
        eprintln!("{}: {args:?}: {:?} {said}", self.runtime.name, output);
        (output.status.success(), said)
    }

    /// Calls the runtime, and demands success.
    pub(crate) fn ok(&self, args: &[&str]) {
        let (succeeded, said) = self.call(args);
        assert!(succeeded, "{}: {args:?}: {said}", self.runtime.name);
    }

    /// Changes the part of config.json that is about Linux.
    pub(crate) fn edit_linux(&self, change: impl FnOnce(&mut Linux)) {
        self.bundle.edit(|spec| {
            change(spec.linux_mut().as_mut().expect("there is one"));
        });
    }

    /// Replaces `linux.resources`.
    pub(crate) fn set_resources(&self, resources: Value) {
        let resources = serde_json::from_value(resources).expect("resources");
        self.edit_linux(|linux| {
            linux.set_resources(Some(resources));
        });
    }

    /// Creates and starts the container `id` from the bundle.
    pub(crate) fn run(&self, id: &str) {
        let bundle = self.bundle.path().to_str().expect("text");
        self.ok(&["run", "--detach", "--bundle", bundle, id]);
    }

    /// One property of a unit, as systemd has it.
    pub(crate) fn property(&self, unit: &str, name: &str) -> String {
        let show = ["systemctl", "show", "--value", "--property", name, unit];
        let output = self.inside(&show).stdout;
        String::from_utf8_lossy(&output).trim().to_owned()
    }

    /// The content of a cgroup's file in the tree of a controller, as the
    /// kernel has it.
    pub(crate) fn kernel(&self, tree: &str, file: &str) -> String {
        self.trees.read(tree, file)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // With its process 1 all others of the box end.
        let kill = Command::new("kill").args(["-KILL", &self.pid]).status();
        assert!(kill.is_ok(), "kill is there");
        self.isolate.wait().expect("isolate is our child");
    }
}
