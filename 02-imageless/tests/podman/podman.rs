//! podman in a directory of its own: storage, configuration, containers.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use testkit::{
    Bundle, Need, RuntimeUnderTest, Scratch, Screen, requires, runtimes,
};

/// Why an operation on the scratch directory cannot fail.
const OURS: &str = "the scratch directory is ours";

/// Not podman's own: limits that it would raise, which takes a right that not
/// every machine gives to root; and locks that all engines of a machine share.
const CONFIGURATION: &str = r#"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
infra_image = "localhost/pause:1"
runtime_supports_json = ["runc", "imageless"]
runtime_supports_nocgroup = ["imageless"]
[engine.runtimes]
"#;

/// Runs `test` on podman with the reference and then with ours.
pub(crate) fn on_each_runtime(test: impl Fn(&Podman)) {
    let programs = ["podman", "conmon", "runc"].map(Need::Program);
    if !requires(&[&[Need::Root], &programs[..]].concat()) {
        return;
    }
    for runtime in runtimes() {
        test(&Podman::new(runtime));
    }
}

/// Runs `test` on podman with ours, for what the reference does not do.
pub(crate) fn on_ours(test: impl Fn(&Podman)) {
    on_each_runtime(|podman| {
        if podman.runtime.name != "runc" {
            test(podman);
        }
    });
}

/// Exit code and standard output of a call.
pub(crate) type Answer = (Option<i32>, String);

/// An engine with one runtime.
pub(crate) struct Podman {
    runtime: RuntimeUnderTest,
    rootfs: String,
    // Last: it looks for leaks when it is dropped.
    pub(crate) scratch: Scratch,
}

impl Podman {
    fn new(runtime: RuntimeUnderTest) -> Self {
        let scratch = Scratch::new();
        let RuntimeUnderTest { name, program } = &runtime;
        // By its name: what podman knows of a runtime, it knows by that.
        let named = format!("{name} = [{:?}]\n", program.display().to_string());
        let configuration = [CONFIGURATION, &named].concat();
        fs::write(scratch.path().join("containers.conf"), configuration)
            .expect(OURS);
        let rootfs = Bundle::busybox(&scratch, "box", &[]).rootfs();
        let rootfs = rootfs.to_str().expect("our paths are text").to_owned();
        Self { runtime, rootfs, scratch }
    }

    /// Prepares a call of podman.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut podman = Command::new("podman");
        let path = |name: &str| self.scratch.path().join(name);
        podman.env("CONTAINERS_CONF", path("containers.conf"));
        // conmon 2.1 leaves a file `oom` where it was called.
        podman.current_dir(self.scratch.path());
        for (option, dir) in
            [("--root", "root"), ("--runroot", "run"), ("--tmpdir", "tmp")]
        {
            podman.arg(option).arg(path(dir));
        }
        podman.args(["--storage-driver", "vfs", "--runtime"]);
        podman.arg(&self.runtime.name).args(args);
        podman
    }

    /// Calls podman; its exit code and standard output.
    pub(crate) fn call(&self, args: &[&str]) -> Answer {
        let output = self.command(args).stdin(Stdio::null()).output();
        self.answer(args, output.expect("podman was found"))
    }

    /// Calls podman, demands success, and returns what it printed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let (code, output) = self.call(args);
        assert_eq!(code, Some(0), "{}: podman {args:?}", self.runtime.name);
        output
    }

    /// Calls podman and writes to its standard input.
    pub(crate) fn feed(&self, args: &[&str], input: Vec<u8>) -> Answer {
        let mut podman = self.command(args);
        podman.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut podman = podman.spawn().expect("podman was found");
        let mut stdin = podman.stdin.take().expect("it is piped");
        // EPIPE: it has had enough. What it read, it tells.
        let writer = thread::spawn(move || stdin.write_all(&input).ok());
        let output = podman.wait_with_output().expect("nobody else reaps it");
        writer.join().expect("it does not panic");
        self.answer(args, output)
    }

    fn answer(&self, args: &[&str], output: Output) -> Answer {
        let head = String::from_utf8_lossy(&output.stdout);
        let head: String = head.chars().take(500).collect();
        let words = String::from_utf8_lossy(&output.stderr);
        let (name, code) = (&self.runtime.name, output.status.code());
        eprintln!("{name}: podman {args:?} = {code:?}: {head:?}, {words:?}");
        (code, String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Prepares a `run` of a new container, named `box`, with podman's own
    /// seccomp filter.
    pub(crate) fn run_arguments<'a>(
        &'a self,
        options: &[&'a str],
        command: &[&'a str],
    ) -> Vec<&'a str> {
        let named = ["run", "--name", "box"];
        [&named, options, &["--rootfs", &self.rootfs], command].concat()
    }

    /// Runs a new container, named `box`.
    pub(crate) fn run(&self, options: &[&str], command: &[&str]) -> Answer {
        self.call(&self.run_arguments(options, command))
    }

    /// Runs a script in a new container that is removed at its end.
    pub(crate) fn sh(&self, options: &[&str], script: &str) -> Answer {
        self.run(&[&["--rm"], options].concat(), &["sh", "-c", script])
    }

    /// Runs a script for each row, which has to succeed and to print what the
    /// row says.
    pub(crate) fn prints(&self, rows: &[(&[&str], &str, &str)]) {
        for (options, script, output) in rows {
            let answer = self.sh(options, script);
            assert_eq!(answer, (Some(0), (*output).to_owned()), "{options:?}");
        }
    }

    /// Starts a container that sleeps.
    pub(crate) fn start(&self, options: &[&str]) {
        let options = [&["--detach"], options].concat();
        let (code, _) = self.run(&options, &["sleep", "60"]);
        assert_eq!(code, Some(0), "{}", self.runtime.name);
    }

    /// Runs podman on a terminal of its own.
    pub(crate) fn on_a_terminal(&self, args: &[&str]) -> (Screen, Child) {
        Screen::around(&self.command(args))
    }

    /// The root file system without an image that `run` uses.
    pub(crate) fn rootfs(&self) -> &str {
        &self.rootfs
    }

    /// Makes images of the root file system: `box`, and `pause`, which has a
    /// command of its own.
    pub(crate) fn import_images(&self) {
        let archive = self.scratch.path().join("rootfs.tar");
        let archive = archive.to_str().expect("our paths are text");
        let mut tar = Command::new("tar");
        tar.args(["-C", &self.rootfs, "-cf", archive, "."]);
        assert!(tar.status().is_ok_and(|status| status.success()));
        let pause = "ENTRYPOINT [\"/bin/sleep\", \"60\"]";
        self.ok(&["import", archive, "box:1"]);
        self.ok(&["import", "--change", pause, archive, "pause:1"]);
    }

    /// A value of the container named `box`, as podman sees it.
    pub(crate) fn inspect(&self, value: &str) -> String {
        let format = format!("{{{{.{value}}}}}");
        self.ok(&["inspect", "--format", &format, "box"]).trim().to_owned()
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // What is not there is no error: most tests have removed it.
        self.call(&["pod", "rm", "--all", "--force", "--time", "0"]);
        self.call(&["rm", "--all", "--force", "--time", "0"]);
    }
}
