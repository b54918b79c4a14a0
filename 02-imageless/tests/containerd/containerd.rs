//! containerd in a directory of its own: storage, sockets, containers.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use testkit::{
    Bundle, Need, RuntimeUnderTest, Scratch, eventually, find_program,
    requires, runtimes, subreaper,
};

/// Why an operation on the scratch directory cannot fail.
const OURS: &str = "the scratch directory is ours";

/// Longer than the daemon takes to start, or a container to end, on a busy
/// machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `test` on containerd with the reference and then with ours.
pub(crate) fn on_each_runtime(test: impl Fn(&Containerd)) {
    let programs = ["containerd", "ctr", "runc"].map(Need::Program);
    if !requires(&[&[Need::Root], &programs[..]].concat()) {
        return;
    }
    // A shim is nobody's child once it runs.
    subreaper();
    for runtime in runtimes() {
        test(&Containerd::start_daemon(runtime));
    }
}

/// A daemon, and one container's name.
pub(crate) struct Containerd {
    runtime: RuntimeUnderTest,
    daemon: Child,
    bundle: Bundle,
    // Last: it looks for leaks when it is dropped.
    pub(crate) scratch: Scratch,
}

impl Containerd {
    fn start_daemon(runtime: RuntimeUnderTest) -> Self {
        let scratch = Scratch::new();
        let bundle = Bundle::busybox(&scratch, "box", &[]);
        let path = |name: &str| scratch.path().join(name);
        fs::write(path("config.toml"), configuration(&scratch)).expect(OURS);
        let log = File::create(path("log")).expect(OURS);
        let containerd = find_program("containerd").expect("it was found");
        let daemon = Command::new(containerd)
            .arg("--config")
            .arg(path("config.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("containerd was found");
        let this = Self { runtime, daemon, bundle, scratch };
        eventually(PATIENCE, "containerd answers", || {
            (this.call(&["version"]).0 == Some(0)).then_some(())
        });
        this
    }

    /// The container's name, which no other test uses.
    pub(crate) fn id(&self) -> &str {
        self.bundle.id()
    }

    /// Calls ctr; its exit code and all that it says.
    pub(crate) fn call(&self, args: &[&str]) -> (Option<i32>, String) {
        self.finish(&mut self.command(args))
    }

    /// Runs a command in a new container.
    pub(crate) fn run(
        &self,
        options: &[&str],
        command: &[&str],
    ) -> (Option<i32>, String) {
        self.finish(&mut self.run_command(options, command))
    }

    /// Runs a script in a new container that is removed at its end.
    pub(crate) fn sh(
        &self,
        options: &[&str],
        script: &str,
    ) -> (Option<i32>, String) {
        self.run(&[&["--rm"], options].concat(), &["sh", "-c", script])
    }

    /// Prepares a call of ctr.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut ctr = Command::new("ctr");
        ctr.arg("--address").arg(self.socket()).args(args);
        ctr
    }

    /// Prepares a `run` of a command in a new container.
    pub(crate) fn run_command(
        &self,
        options: &[&str],
        command: &[&str],
    ) -> Command {
        let run = self.run_arguments(options, command);
        self.command(&run.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Starts a container that sleeps.
    pub(crate) fn start(&self) {
        self.start_with(&[]);
    }

    /// The same, with options of `ctr run`.
    pub(crate) fn start_with(&self, options: &[&str]) {
        let options = [&["--detach"], options].concat();
        let (code, _) = self.run(&options, &["sleep", "60"]);
        assert_eq!(code, Some(0), "{}", self.runtime.name);
    }

    /// Runs a command in the container that [`start`](Self::start) has started.
    pub(crate) fn exec(&self, command: &[&str]) -> (Option<i32>, String) {
        let exec = ["task", "exec", "--exec-id", "second", self.id()];
        self.call(&[&exec[..], command].concat())
    }

    /// The container's limit on memory, as the kernel has it.
    pub(crate) fn memory_limit(&self) -> String {
        let id = self.id();
        let v1 = format!("/sys/fs/cgroup/memory/{id}/memory.limit_in_bytes");
        let v2 = format!("/sys/fs/cgroup/{id}/memory.max");
        let limit = fs::read_to_string(v1).or_else(|_| fs::read_to_string(v2));
        limit.expect("the cgroup is there").trim().to_owned()
    }

    /// Waits until containerd knows that the container has ended.
    pub(crate) fn wait_until_stopped(&self) {
        eventually(PATIENCE, "the task is stopped", || {
            let tasks = self.call(&["task", "ls"]).1;
            tasks.contains("STOPPED").then_some(())
        });
    }

    fn run_arguments(&self, options: &[&str], command: &[&str]) -> Vec<String> {
        let text = |path: PathBuf| path.to_str().expect("text").to_owned();
        let runtime = text(self.runtime.program.clone());
        let root = text(self.scratch.path().join("roots"));
        let cgroup = format!("/{}", self.id());
        let fixed = ["run", "--runc-binary", &runtime, "--runc-root", &root];
        let rootfs = text(self.bundle.rootfs());
        let place = ["--cgroup", &cgroup, "--env", "PATH=/bin"];
        let what = ["--rootfs", &rootfs, self.id()];
        let all = [&fixed, &place[..], options, &what, command].concat();
        all.into_iter().map(str::to_owned).collect()
    }

    fn socket(&self) -> PathBuf {
        self.scratch.path().join("containerd.sock")
    }

    fn finish(&self, command: &mut Command) -> (Option<i32>, String) {
        let output = command.stdin(Stdio::null()).output();
        let output = output.expect("the program was found");
        eprintln!("{}: {command:?}: {output:?}", self.runtime.name);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }
}

/// Not here: the plugins for Kubernetes, and for file systems that it would
/// look for.
fn configuration(scratch: &Scratch) -> String {
    let dir = scratch.path().display();
    format!(
        "version = 2\n\
         root = \"{dir}/root\"\n\
         state = \"{dir}/run\"\n\
         disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
         [grpc]\n\
         address = \"{dir}/containerd.sock\"\n\
         [ttrpc]\n\
         address = \"{dir}/ttrpc.sock\"\n"
    )
}

impl Drop for Containerd {
    fn drop(&mut self) {
        // What is not there is no error: most tests have removed it.
        self.call(&["task", "rm", "--force", self.id()]);
        self.call(&["container", "rm", self.id()]);
        // It cannot have ended: nobody else knows its pid.
        let _ = self.daemon.kill();
        self.daemon.wait().expect("the daemon is our child");
    }
}
