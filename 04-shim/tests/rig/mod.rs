//! A shim under test, with a manager's view of it: create, read the answer,
//! look at the files. The same claims are made of conmon first, through an
//! adapter of its command line; what the shims do not share, a test gets from
//! `Rig`.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "a module of several test programs; each uses its part"
)]

mod command;
mod golden;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use runc_naive::{Force, Runtime};
use serde_json::Value;
use testkit::{Bundle, Scratch, eventually};

pub use command::output;
use command::{first_line, in_time};
pub use golden::{golden, normalised};

/// Longest time for anything that a test waits for: a machine that is busy with
/// other tests is slow.
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

    /// Replaces the runtime by a script: fault injection. It runs with the
    /// scratch directory in `$SCRATCH`, and finds the path for the container's
    /// pid in `$PIDFILE`.
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

    /// Creates the container and returns the answer: one line.
    ///
    /// Ours closes its descriptors after the answer, so that a manager may read
    /// to their ends. conmon does not.
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
        // A container that a test leaves running is no leak of the shim's; one
        // without state has nothing to delete.
        let _ = self.runtime.delete(self.id(), Force::Yes);
    }
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text)
        .unwrap_or_else(|error| panic!("{text:?}: {error}"))
}
