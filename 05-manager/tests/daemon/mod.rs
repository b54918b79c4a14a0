//! A conmand of a test's own, on scratch directories, and conman as its client.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "to panic is to fail, in a test")]

pub mod kubelet;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use manager::cri::runtime_service_client::RuntimeServiceClient;
use serde_json::Value;
use testkit::{Bundle, RuntimeUnderTest, Scratch, eventually};
use tonic::transport::Channel;

/// What a loaded machine may take for a step that takes milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// One conmand; it is killed at the end of the test, its containers are the
/// test's to remove.
pub struct Conmand<'a> {
    pub scratch: &'a Scratch,
    pub rootfs: PathBuf,
    options: Vec<String>,
    child: Child,
}

impl<'a> Conmand<'a> {
    /// Starts one whose default runtime is `runtime`.
    pub fn start(scratch: &'a Scratch, runtime: &RuntimeUnderTest) -> Self {
        let name = "under-test".to_owned();
        let under_test = RuntimeUnderTest { name, ..runtime.clone() };
        Self::start_with(scratch, &[under_test])
    }

    /// Starts one with these runtimes by their names; the first is its default.
    pub fn start_with(
        scratch: &'a Scratch,
        runtimes: &[RuntimeUnderTest],
    ) -> Self {
        let named = |RuntimeUnderTest { name, program }: &_| {
            format!("--runtime={name}={}", program.display())
        };
        let mut options: Vec<_> = runtimes.iter().map(named).collect();
        options.push(format!("--default-runtime={}", runtimes[0].name));
        let rootfs = Bundle::busybox(scratch, "box", &["true"]).rootfs();
        let child = spawn(scratch, &options);
        let mut conmand = Self { scratch, rootfs, options, child };
        conmand.listens();
        conmand
    }

    /// Kills it as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is our child");
        self.child.wait().expect("it is our child");
    }

    /// Asks it to end, and waits.
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = nix::unistd::Pid::from_raw(self.child.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.child.wait().expect("it is our child")
    }

    /// Starts the next one on the same directories.
    pub fn start_again(&mut self) {
        self.child = spawn(self.scratch, &self.options);
        self.listens();
    }

    /// Runs conman.
    pub fn conman(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("conman is built")
    }

    /// Prepares conman.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_conman"));
        command.arg("--socket").arg(socket(self.scratch)).args(args);
        command
    }

    /// Runs conman, demands success, and returns what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.conman(args);
        assert!(output.status.success(), "conman {args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs conman, demands failure, and returns its one complaint.
    pub fn refused(&self, args: &[&str]) -> String {
        let output = self.conman(args);
        assert!(!output.status.success(), "conman {args:?}: {output:?}");
        assert_eq!(output.stdout, b"", "conman {args:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// `conman run -d`, with the busybox root; returns the id.
    pub fn run_detached(&self, options: &[&str], script: &str) -> String {
        let image = self.image();
        let command = [&image, "--", "sh", "-c", script];
        let args = [&["run", "-d"], options, &command].concat();
        self.ok(&args).trim().to_owned()
    }

    /// The busybox root as an image reference.
    pub fn image(&self) -> String {
        format!("rootfs:{}", self.rootfs.display())
    }

    /// `conman inspect`.
    pub fn inspect(&self, id: &str) -> Value {
        serde_json::from_str(&self.ok(&["inspect", id])).expect("JSON")
    }

    /// A container's state without its prefix, and its exit code.
    pub fn state(&self, id: &str) -> (String, i64) {
        let status = self.inspect(id)["status"].clone();
        let state = status["state"].as_str().expect("a word");
        let state = state.trim_start_matches("CONTAINER_").to_owned();
        (state, status["exitCode"].as_i64().expect("a number"))
    }

    /// Waits until a container has ended, and returns its exit code.
    pub fn wait(&self, id: &str) -> i64 {
        eventually(PATIENCE, "the container ends", || {
            let (state, code) = self.state(id);
            (state == "EXITED").then_some(code)
        })
    }

    /// The pid of a container's first process.
    pub fn pid(&self, id: &str) -> i32 {
        let pid = self.inspect(id)["info"]["pid"].as_i64();
        pid.expect("it runs").try_into().unwrap()
    }

    /// The pid of a container's shim.
    pub fn shim_pid(&self, id: &str) -> i32 {
        let file =
            self.state_dir().join("containers").join(id).join("shim.pid");
        fs::read_to_string(file).unwrap().trim().parse().unwrap()
    }

    /// Waits until a container has written `text`.
    pub fn wait_for_log(&self, id: &str, text: &str) {
        eventually(PATIENCE, text, || {
            self.ok(&["logs", id]).contains(text).then_some(())
        });
    }

    pub fn root_dir(&self) -> PathBuf {
        self.scratch.path().join("root")
    }

    pub fn state_dir(&self) -> PathBuf {
        self.scratch.path().join("run")
    }

    /// A client of CRI itself.
    pub async fn cri(&self) -> RuntimeServiceClient<Channel> {
        let uri = format!("unix://{}", socket(self.scratch).display());
        RuntimeServiceClient::connect(uri).await.expect("it listens")
    }

    /// Demands that no container or sandbox left a directory or a cgroup.
    pub fn demand_nothing_left(&self, ids: &[&str]) {
        for dir in [self.root_dir(), self.state_dir()] {
            for kind in ["containers", "sandboxes"] {
                let left = entries(&dir.join(kind));
                assert_eq!(left, [""; 0], "{kind} in {}", dir.display());
            }
        }
        let runtimes = self.state_dir().join("runtimes");
        for runtime in entries(&runtimes) {
            assert_eq!(entries(&runtimes.join(runtime)), [""; 0]);
        }
        for id in ids {
            assert!(cgroups(id).is_empty(), "{:?}", cgroups(id));
        }
    }

    /// What a failed test leaves: the scratch does not find a cgroup that has
    /// a container's id as its name.
    fn remove_all(&self) {
        let ids = self.conman(&["ps", "-a", "-q"]).stdout;
        for id in String::from_utf8_lossy(&ids).lines() {
            self.conman(&["rm", "-f", id]);
        }
    }

    fn listens(&mut self) {
        eventually(PATIENCE, "conmand listens", || {
            let ended = self.child.try_wait().expect("it is our child");
            assert_eq!(ended, None, "{}", log(self.scratch));
            UnixStream::connect(socket(self.scratch)).ok()
        });
    }
}

impl Drop for Conmand<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.remove_all();
        }
        // Err: it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", log(self.scratch));
        }
    }
}

/// The socket of the scratch's conmand.
pub fn socket(scratch: &Scratch) -> PathBuf {
    scratch.path().join("s.sock")
}

/// conmand's command line, with its directories in `dir`.
pub fn conmand(dir: &Path, socket: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conmand"));
    command.arg("--root").arg(dir.join("root"));
    command.arg("--state").arg(dir.join("run"));
    command.arg("--socket").arg(socket);
    command.stdin(Stdio::null());
    command
}

/// runc, but one verb makes the file `hung` and waits for as long as it is there.
pub fn runc_that_hangs_in(scratch: &Scratch, verb: &str) -> RuntimeUnderTest {
    let hung = scratch.path().join("hung");
    let (hung, program) = (hung.display(), scratch.path().join("slow"));
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *\" {verb} \"*) : > {hung}; \
         while [ -e {hung} ]; do sleep 0.05; done;; esac\nexec runc \"$@\"\n"
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    RuntimeUnderTest { name: "slow".to_owned(), program }
}

/// The cgroups of a container, in all hierarchies.
pub fn cgroups(id: &str) -> Vec<PathBuf> {
    let mounted = PathBuf::from("/sys/fs/cgroup");
    let below = entries(&mounted).into_iter().map(|name| mounted.join(name));
    let candidates = below.chain([mounted.clone()]);
    candidates
        .map(|dir| dir.join(format!("conman-{id}")))
        .filter(|cgroup| cgroup.exists())
        .collect()
}

fn spawn(scratch: &Scratch, options: &[String]) -> Child {
    let log = scratch.path().join("conmand.log");
    let log = File::options().create(true).append(true).open(log).unwrap();
    let mut command = conmand(scratch.path(), &socket(scratch));
    command.args(options).stderr(log).stdout(Stdio::null());
    command.spawn().expect("conmand is built")
}

fn log(scratch: &Scratch) -> String {
    let log = scratch.path().join("conmand.log");
    fs::read_to_string(log).unwrap_or_default()
}

fn entries(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect()
}
