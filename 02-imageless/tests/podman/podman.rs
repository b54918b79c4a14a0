//! podman in a directory of its own: storage, configuration, containers.

use std::fs;
use std::process::{Command, Stdio};
use testkit::{Bundle, Need, RuntimeUnderTest, Scratch, requires, runtimes};

/// Why an operation on the scratch directory cannot fail.
const OURS: &str = "the scratch directory is ours";

/// Limits that podman would raise, which takes a right that not every machine
/// gives to root.
const CONFIGURATION: &str = r#"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime_supports_json = ["runc", "imageless"]
"#;

/// Runs `test` on podman with the reference and then with ours.
pub(crate) fn on_each_runtime(test: impl Fn(&Podman)) {
    let programs = ["podman", "conmon", "runc"].map(Need::Program);
    if !requires(&[&[Need::Root], &programs[..]].concat()) {
        return;
    }
    for runtime in runtimes() {
        let scratch = Scratch::new();
        fs::write(scratch.path().join("containers.conf"), CONFIGURATION)
            .expect(OURS);
        let bundle = Bundle::busybox(&scratch, "box", &[]);
        test(&Podman { runtime, bundle, scratch });
    }
}

/// An engine with one runtime.
pub(crate) struct Podman {
    runtime: RuntimeUnderTest,
    bundle: Bundle,
    // Last: it looks for leaks when it is dropped.
    scratch: Scratch,
}

impl Podman {
    /// Calls podman; its exit code and standard output.
    pub(crate) fn call(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut podman = Command::new("podman");
        let path = |name: &str| self.scratch.path().join(name);
        podman.env("CONTAINERS_CONF", path("containers.conf"));
        for (option, dir) in
            [("--root", "root"), ("--runroot", "run"), ("--tmpdir", "tmp")]
        {
            podman.arg(option).arg(path(dir));
        }
        podman.args(["--storage-driver", "vfs", "--runtime"]);
        podman.arg(&self.runtime.program).args(args);
        let output = podman.stdin(Stdio::null()).output();
        let output = output.expect("podman was found");
        eprintln!("{}: podman {args:?}: {output:?}", self.runtime.name);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), stdout)
    }

    /// Runs a new container, named `box`, with podman's own seccomp filter.
    pub(crate) fn run(
        &self,
        options: &[&str],
        command: &[&str],
    ) -> (Option<i32>, String) {
        let rootfs = self.bundle.rootfs();
        let rootfs = rootfs.to_str().expect("our paths are text");
        let fixed = ["--name", "box"];
        let rootfs = ["--rootfs", rootfs];
        self.call(&[&["run"], &fixed[..], options, &rootfs, command].concat())
    }

    /// Starts a container that sleeps.
    pub(crate) fn start(&self) {
        let (code, _) = self.run(&["--detach"], &["sleep", "60"]);
        assert_eq!(code, Some(0), "{}", self.runtime.name);
    }

    /// The container's status, as podman sees it.
    pub(crate) fn status(&self) -> String {
        let format = ["--format", "{{.State.Status}}"];
        let inspect = [&["inspect"], &format[..], &["box"]].concat();
        self.call(&inspect).1.trim().to_owned()
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // One that is not there is no error.
        self.call(&["rm", "--force", "--ignore", "--time", "0", "box"]);
    }
}
