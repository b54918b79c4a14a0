//! The shims' command lines, and how their answer is read: never without a
//! deadline.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;

use super::{DEADLINE, Rig, Shim};

impl Rig {
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

    /// The command line of the shim, started by a shell that runs `script` with
    /// it as `"$@"`.
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
        // conmon takes the sync pipe by number only: give it a copy of standard
        // output.
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
}

/// Runs a command to its end and to the end of its pipes, and fails the test if
/// that takes too long.
pub fn output(command: Command) -> Output {
    in_time(command, |mut command| command.output().unwrap())
}

pub(super) fn in_time(command: Command, run: fn(Command) -> Output) -> Output {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(run(command)));
    receiver.recv_timeout(DEADLINE).expect("the answer comes at once")
}

pub(super) fn first_line(mut command: Command) -> Output {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = Vec::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_until(b'\n', &mut stdout).unwrap();
    Output { status: child.wait().unwrap(), stdout, stderr: vec![] }
}
