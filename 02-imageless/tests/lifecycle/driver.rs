//! A bundle, a runtime and a scratch directory: what every test here starts
//! from. Output goes to files, because a pipe would be the container's too.

use serde_json::{Value, json};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use testkit::{
    Bundle, Need, RuntimeUnderTest, Scratch, eventually, requires, runtimes,
    subreaper,
};

/// Long for a container to start or end, short for a test that hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// Why an operation on the scratch directory cannot fail.
pub(crate) const OURS: &str = "the scratch directory is ours";

/// Runs `test` on the reference and then on ours, each with a bundle whose
/// process is `args`.
pub(crate) fn on_each_runtime(args: &[&str], test: impl Fn(&Driver)) {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    for runtime in runtimes() {
        test(&Driver::new(Scratch::new(), runtime, args));
    }
}

/// Runs `test` on ours: for what runtimes answer each in their own words.
pub(crate) fn on_ours(args: &[&str], test: impl FnOnce(&Driver)) {
    if !requires(&[Need::Root]) {
        return;
    }
    let program = PathBuf::from(env!("CARGO_BIN_EXE_imageless"));
    let name = "imageless".to_owned();
    let runtime = RuntimeUnderTest { name, program };
    test(&Driver::new(Scratch::new(), runtime, args));
}

/// Runs `test` on a copy of ours that no other test executes.
pub(crate) fn on_a_copy_of_ours(args: &[&str], test: impl FnOnce(&Driver)) {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let program = scratch.path().join("imageless");
    // By cp(1): what this process has open for writing, a child that another
    // test is just making could hold, and then nobody can execute it.
    let mut cp = Command::new("cp");
    cp.arg(env!("CARGO_BIN_EXE_imageless")).arg(&program);
    assert!(cp.status().expect("cp is everywhere").success());
    let name = "a copy of imageless".to_owned();
    test(&Driver::new(scratch, RuntimeUnderTest { name, program }, args));
}

/// Runs `test` on ours in a mount namespace where cgroup v2 is all there is, as
/// on most machines. Where v1 has the controllers, v2 still has devices, the
/// freezer and the kill file.
pub(crate) fn on_ours_with_pure_cgroup_v2(
    args: &[&str],
    test: impl FnOnce(&Driver),
) {
    on_ours_with_cgroups("mount -t cgroup2 none /sys/fs/cgroup", args, test);
}

/// Runs `test` on ours in a mount namespace where `mounts`, in shell, has made
/// all the cgroup file systems that there are.
pub(crate) fn on_ours_with_cgroups(
    mounts: &str,
    args: &[&str],
    test: impl FnOnce(&Driver),
) {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let script = format!(
        "#!/bin/sh\nexec unshare --mount sh -c 'umount -l /sys/fs/cgroup && \
         {mounts} && exec {} \"$@\"' sh \"$@\"\n",
        env!("CARGO_BIN_EXE_imageless")
    );
    let program = scratch.path().join("on-other-cgroups");
    fs::write(&program, script).expect(OURS);
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect(OURS);
    let name = "imageless on other cgroups".to_owned();
    test(&Driver::new(scratch, RuntimeUnderTest { name, program }, args));
}

/// Calls one runtime on one bundle.
pub(crate) struct Driver {
    pub(crate) runtime: RuntimeUnderTest,
    pub(crate) bundle: Bundle,
    // Last: it looks for leaks when it is dropped.
    pub(crate) scratch: Scratch,
}

/// What a call of the runtime came to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Driver {
    fn new(scratch: Scratch, runtime: RuntimeUnderTest, args: &[&str]) -> Self {
        subreaper();
        let bundle = Bundle::busybox(&scratch, "box", args);
        Self { runtime, bundle, scratch }
    }

    /// The container's id.
    pub(crate) fn id(&self) -> &str {
        self.bundle.id()
    }

    /// Starts a call, with its output in files of the scratch directory.
    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        let file = |name| {
            let file = File::create(self.scratch.path().join(name));
            file.expect(OURS)
        };
        self.command(args)
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .expect("the runtime's program was found")
    }

    /// Prepares a call.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.runtime.program);
        command.arg("--root").arg(self.scratch.state_root()).args(args);
        command.current_dir(self.bundle.path()).stdin(Stdio::null());
        command
    }

    /// Waits for a call that [`Driver::spawn`] started.
    pub(crate) fn answer(&self, mut child: Child) -> Answer {
        let status = child.wait().expect("nobody else reaps it");
        Answer {
            status,
            stdout: self.read("stdout"),
            stderr: self.read("stderr"),
        }
    }

    /// Calls the runtime.
    pub(crate) fn call(&self, args: &[&str]) -> Answer {
        self.answer(self.spawn(args))
    }

    /// Calls a verb on the container, which has to succeed.
    pub(crate) fn ok(&self, verb: &[&str]) -> Answer {
        let answer = self.verb(verb);
        let name = &self.runtime.name;
        assert!(answer.status.success(), "{name} {verb:?}: {answer:?}");
        answer
    }

    /// Calls a verb on the container, which has to fail with an error.
    pub(crate) fn fails(&self, verb: &[&str]) -> Answer {
        let answer = self.verb(verb);
        let name = &self.runtime.name;
        assert_eq!(
            answer.status.code(),
            Some(1),
            "{name} {verb:?}: {answer:?}"
        );
        assert!(!answer.stderr.is_empty(), "{name} {verb:?} says nothing");
        answer
    }

    /// Calls a verb on the container: `kill` takes its signal after the id.
    pub(crate) fn verb(&self, verb: &[&str]) -> Answer {
        let (options, after) = match verb {
            ["kill", .., signal] if verb.len() > 1 => {
                (&verb[..verb.len() - 1], vec![*signal])
            }
            _ => (verb, vec![]),
        };
        let args = [options, &[self.id()], &after].concat();
        self.call(&args)
    }

    /// The state as the runtime prints it.
    pub(crate) fn state(&self) -> Value {
        let answer = self.ok(&["state"]);
        serde_json::from_str(&answer.stdout).expect("state is JSON")
    }

    /// The status as the runtime prints it.
    pub(crate) fn status(&self) -> String {
        self.state()["status"].as_str().expect("status is a string").to_owned()
    }

    /// Waits for a status.
    pub(crate) fn wait_for(&self, status: &str) {
        let what = format!("{}: status {status}", self.runtime.name);
        eventually(LIMIT, &what, || (self.status() == status).then_some(()));
    }

    /// Runs the container in the foreground; its standard output.
    pub(crate) fn output(&self) -> String {
        self.ok(&["run"]).stdout
    }

    /// Sets a field of config.json: `/process/args`.
    pub(crate) fn set(&self, pointer: &str, value: Value) {
        let path = self.bundle.path().join("config.json");
        let mut config: Value =
            serde_json::from_slice(&fs::read(&path).expect(OURS))
                .expect("testkit writes JSON");
        let (parent, field) = pointer.rsplit_once('/').expect("a JSON pointer");
        let parent = config.pointer_mut(parent).expect("the parent is there");
        parent[field] = value;
        fs::write(&path, config.to_string()).expect(OURS);
    }

    /// Replaces the process' arguments by a shell script.
    pub(crate) fn set_script(&self, script: &str) {
        self.set("/process/args", json!(["sh", "-c", script]));
    }

    /// Opens the scratch directory to others: the root of a user namespace is
    /// one of them.
    pub(crate) fn open_to_all(&self) {
        let open = Permissions::from_mode(0o755);
        fs::set_permissions(self.scratch.path(), open).expect(OURS);
    }

    /// Reads a file of the scratch directory.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.scratch.path().join(name)).unwrap_or_default()
    }
}
