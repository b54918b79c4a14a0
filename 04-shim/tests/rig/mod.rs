//! A shim under test, with a manager's view of it: create, read the answer, look at the files. The same claims are
//! made of conmon first, through an adapter of its command line; what the shims do not share, a test gets from `Rig`.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "a module of several test programs; each uses its part"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use runc_naive::{Force, Runtime};
use serde_json::Value;
use testkit::{Bundle, Scratch, eventually};

/// Longest time for anything that a test waits for: a machine that is busy with other tests is slow.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Whose command line is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shim {
    /// The reference.
    Conmon,
    /// `conman-shim`.
    Ours,
}

/// One container with its shim, and the files between them.
pub struct Rig {
    pub scratch: Scratch,
    pub bundle: Bundle,
    pub runtime: Runtime,
    pub program: PathBuf,
    pub shim: Shim,
}

/// Runs `claim` for every pair of shim and runtime, the references first.
pub fn for_each(args: &[&str], claim: impl Fn(&Rig)) {
    for shim in [Shim::Conmon, Shim::Ours] {
        for runtime in testkit::runtimes() {
            eprintln!("with {shim:?} and {}", runtime.name);
            claim(&Rig::new(shim, &runtime.program, args));
        }
    }
}

/// Makes a rig of our shim and the reference runtime.
pub fn ours(args: &[&str]) -> Rig {
    Rig::new(
        Shim::Ours,
        &testkit::find_program("runc").expect("required by the test"),
        args,
    )
}

impl Rig {
    pub fn new(shim: Shim, program: &Path, args: &[&str]) -> Rig {
        let scratch = Scratch::new();
        let bundle = Bundle::busybox(&scratch, "box", args);
        let runtime = Runtime::new(program).root(scratch.state_root());
        Rig { scratch, bundle, runtime, program: program.to_owned(), shim }
    }

    /// Replaces the runtime by a script: fault injection. It runs with the scratch directory in `$SCRATCH`, and finds
    /// the path for the container's pid in `$PIDFILE`.
    pub fn fake_runtime(&mut self, script: &str) {
        self.program = self.path("fake-runtime");
        let pid_file = self.path("container.pid");
        let script =
            format!("#!/bin/sh\nPIDFILE={}\n{script}\n", pid_file.display());
        fs::write(&self.program, script).unwrap();
        fs::set_permissions(&self.program, fs::Permissions::from_mode(0o755))
            .unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub fn id(&self) -> &str {
        self.bundle.id()
    }

    /// The command line of the shim. Its answer comes on standard output.
    pub fn command(&self) -> Command {
        let mut command = match self.shim {
            Shim::Conmon => self.conmon(),
            Shim::Ours => self.conman_shim(),
        };
        command.arg("--runtime").arg(&self.program);
        command
            .args(["--runtime-arg", "--root", "--runtime-arg"])
            .arg(self.scratch.state_root());
        command
            .arg("--bundle")
            .arg(self.bundle.path())
            .args(["--cid", self.id()]);
        command.arg("--container-pidfile").arg(self.path("container.pid"));
        command.env("SCRATCH", self.scratch.path()).stdin(Stdio::null());
        command
    }

    /// The command line of the shim, with other values for some of its options.
    pub fn command_with(&self, values: &[(&str, PathBuf)]) -> Command {
        let usual = self.command();
        let mut args: Vec<_> =
            usual.get_args().map(ToOwned::to_owned).collect();
        for (option, value) in values {
            let at = args
                .iter()
                .position(|arg| arg == option)
                .expect("the shim is given all options");
            args[at + 1] = value.into();
        }
        let mut command = Command::new(usual.get_program());
        command
            .args(args)
            .env("SCRATCH", self.scratch.path())
            .stdin(Stdio::null());
        command
    }

    /// The command line of the shim, started by a shell that runs `script` with it as `"$@"`.
    pub fn shell(&self, script: &str) -> Command {
        let shim = self.command();
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh"])
            .arg(shim.get_program())
            .args(shim.get_args());
        command.env("SCRATCH", self.scratch.path()).stdin(Stdio::null());
        command
    }

    fn conman_shim(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_conman-shim"));
        command.arg("--shim-pidfile").arg(self.path("shim.pid"));
        command.arg("--exit-file").arg(self.path("exit"));
        command.arg("--log-path").arg(self.path("log"));
        command
    }

    fn conmon(&self) -> Command {
        let mut command = Command::new("sh");
        // conmon takes the sync pipe by number only: give it a copy of standard output.
        command.args([
            "-c",
            r#"_OCI_SYNCPIPE=3 exec conmon "$@" 3>&1 >/dev/null"#,
            "conmon",
        ]);
        command.args([
            "--api-version",
            "1",
            "--cuuid",
            self.id(),
            "--name",
            self.id(),
        ]);
        command.arg("--conmon-pidfile").arg(self.path("shim.pid"));
        command.arg("--exit-dir").arg(self.scratch.path());
        command.arg("--socket-dir-path").arg(self.scratch.path());
        command
            .arg("--log-path")
            .arg(format!("k8s-file:{}", self.path("log").display()));
        command
    }

    /// Creates the container and returns the answer: one line.
    ///
    /// Ours closes its descriptors after the answer, so that a manager may read to their ends. conmon does not.
    pub fn create(&self) -> String {
        let read: fn(Command) -> Output = match self.shim {
            Shim::Conmon => first_line,
            Shim::Ours => |mut command| command.output().unwrap(),
        };
        let output = in_time(self.command(), read);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Creates the container and returns its process' pid.
    pub fn created(&self) -> i32 {
        let answer = self.create();
        let pid = json(&answer)["data"].as_i64().unwrap_or(-1);
        assert!(pid > 0, "{answer}");
        pid as i32
    }

    /// Fails to create the container, and returns the reason.
    pub fn refused(&self) -> String {
        let answer = json(&self.create());
        assert_eq!(answer["data"], -1, "{answer}");
        answer["message"].as_str().expect("a failure has a message").to_owned()
    }

    pub fn start(&self) {
        self.runtime.start(self.id()).unwrap();
    }

    /// Creates and starts the container, and returns its process' pid.
    pub fn run(&self) -> i32 {
        let pid = self.created();
        self.start();
        pid
    }

    pub fn kill(&self, signal: i32) {
        self.runtime.kill(self.id(), signal).unwrap();
    }

    /// Waits for the exit file and returns its text.
    pub fn exit_file(&self) -> String {
        let name = match self.shim {
            Shim::Conmon => self.id(),
            Shim::Ours => "exit",
        };
        eventually(DEADLINE, "the exit file appears", || {
            fs::read_to_string(self.path(name)).ok()
        })
    }

    /// Waits for the exit file and returns the code in it.
    pub fn exit_code(&self) -> i64 {
        let code = json(&self.exit_file());
        code["code"]
            .as_i64()
            .or(code.as_i64())
            .expect("both shims write a code")
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Returns the texts of one stream, put together again.
    pub fn text(&self, stream: &str) -> String {
        let records = self.log();
        let records =
            records.lines().map(|line| line.splitn(4, ' ').collect::<Vec<_>>());
        let of_stream = records.filter(|record| record[1] == stream);
        of_stream
            .map(|record| {
                record[3].to_owned() + if record[2] == "F" { "\n" } else { "" }
            })
            .collect()
    }

    /// Returns the pid that the shim wrote.
    pub fn shim_pid(&self) -> i32 {
        fs::read_to_string(self.path("shim.pid"))
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }

    /// Returns who holds the lock on the shim's pid file.
    pub fn lock_holder(&self) -> Option<i32> {
        let file = fs::File::open(self.path("shim.pid")).ok()?;
        let mut lock = libc::flock {
            l_type: libc::F_WRLCK as i16,
            l_whence: libc::SEEK_SET as i16,
            l_start: 0,
            l_len: 0,
            l_pid: 0,
        };
        fcntl(&file, FcntlArg::F_GETLK(&mut lock)).unwrap();
        (lock.l_type != libc::F_UNLCK as i16).then_some(lock.l_pid)
    }

    pub fn wait_for_shims_end(&self) {
        eventually(DEADLINE, "the shim ends", || {
            self.lock_holder().is_none().then_some(())
        });
    }

    /// Names the files that are left beside the bundle.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.scratch.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.retain(|name| {
            !["box", "state", "fake-runtime"].contains(&name.as_str())
        });
        names.sort();
        names
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // A container that a test leaves running is no leak of the shim's; one without state has nothing to delete.
        let _ = self.runtime.delete(self.id(), Force::Yes);
    }
}

/// Runs a command to its end and to the end of its pipes, and fails the test if that takes too long.
pub fn output(command: Command) -> Output {
    in_time(command, |mut command| command.output().unwrap())
}

fn in_time(command: Command, run: fn(Command) -> Output) -> Output {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(run(command)));
    receiver.recv_timeout(DEADLINE).expect("the answer comes at once")
}

fn first_line(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = Vec::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_until(b'\n', &mut stdout).unwrap();
    Output { status: child.wait().unwrap(), stdout, stderr: vec![] }
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text)
        .unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Returns a golden file: the text that the manager's tests read too.
pub fn golden(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    fs::read_to_string(folder.join(name)).unwrap()
}

/// Replaces pids and times by those of the golden files.
pub fn normalised(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let line = match line.find("\"data\":").map(|at| at + 7) {
            Some(at) if !line[at..].starts_with('-') => {
                let end = at
                    + line[at..]
                        .find(|c: char| !c.is_ascii_digit())
                        .unwrap_or(0);
                format!("{}4242{}", &line[..at], &line[end..])
            }
            _ => line.to_owned(),
        };
        let time = "2026-11-23T18:00:00.123456789";
        match line.find("20").filter(|at| is_time(&line[*at..])) {
            Some(at) => {
                format!("{}{time}{}", &line[..at], &line[at + time.len()..])
            }
            None => line,
        }
    });
    lines.collect()
}

fn is_time(text: &str) -> bool {
    let shape = "dddd-dd-ddTdd:dd:dd.ddddddddd";
    text.len() >= shape.len()
        && shape.chars().zip(text.chars()).all(|(want, is)| match want {
            'd' => is.is_ascii_digit(),
            want => is == want,
        })
}
