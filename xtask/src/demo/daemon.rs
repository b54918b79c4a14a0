//! conmand on directories of its own, and conman as its client.

use super::wait::{self, until_ended};
use crate::cargo::{Profile, binaries};
use crate::root::shown;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// conmand starts and ends in milliseconds; a busy machine needs more.
const PROMPT: Duration = Duration::from_secs(20);

/// Everything of one private conmand.
pub(super) struct Manager {
    folder: PathBuf,
    socket: PathBuf,
    child: Child,
}

impl Manager {
    /// Starts conmand in `folder` and returns when it answers.
    ///
    /// # Errors
    /// It ended, or does not listen in time; the message has its last words.
    pub(super) fn start(folder: &Path) -> Result<Manager> {
        let socket = folder.join("conmand.sock");
        let log = folder.join("conmand.log");
        let output = File::options().create(true).append(true).open(&log);
        let output = output.with_context(|| log.display().to_string())?;
        let mut command = Command::new(binaries(Profile::Dev)?.join("conmand"));
        command.arg("--root").arg(folder.join("root"));
        command.arg("--state").arg(folder.join("state"));
        command.arg("--socket").arg(&socket);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| shown(&command))?;
        let folder = folder.to_owned();
        let mut manager = Manager { folder, socket, child };
        manager.listens().with_context(|| {
            let words = fs::read_to_string(log).unwrap_or_default();
            format!("conmand: {}", words.lines().last().unwrap_or_default())
        })?;
        Ok(manager)
    }

    fn listens(&mut self) -> Result<()> {
        let (socket, child) = (&self.socket, &mut self.child);
        wait::until(&self.folder, PROMPT, "conmand listens", || {
            if let Some(status) = child.try_wait().context("waitpid")? {
                bail!("ended at once: {status}");
            }
            Ok(UnixStream::connect(socket).ok())
        })?;
        Ok(())
    }

    /// conmand's pid.
    pub(super) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("pid_t is an i32")
    }

    /// Runs conman and returns what it prints.
    ///
    /// # Errors
    /// It fails; the message has its own words.
    pub(super) fn conman(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new(binaries(Profile::Dev)?.join("conman"));
        command.arg("--socket").arg(&self.socket).args(args);
        let output = command.output().with_context(|| shown(&command))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            bail!("{} ({})", words.trim(), output.status);
        }
        String::from_utf8(output.stdout).context("conman: not UTF-8")
    }

    /// What `conman inspect` says of a container.
    ///
    /// # Errors
    /// As [`Manager::conman`]; or it is no JSON.
    pub(super) fn inspect(&self, id: &str) -> Result<Status> {
        let text = self.conman(&["inspect", id])?;
        let value: Value = serde_json::from_str(&text)
            .with_context(|| format!("conman inspect {id}"))?;
        Status::read(&value)
            .with_context(|| format!("conman inspect {id}: lacks a field"))
    }

    /// Sends conmand a signal and reaps it.
    ///
    /// # Errors
    /// It does not end.
    pub(super) fn end_by(mut self, signal: Signal) -> Result<ExitStatus> {
        let pid = self.pid();
        kill(Pid::from_raw(pid), signal)
            .with_context(|| format!("kill({pid}, {signal})"))?;
        until_ended(pid, PROMPT)?;
        self.child.wait().context("waitpid(conmand)")
    }
}

/// The part of a container's CRI status that the story is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) state: String,
    pub(super) exit_code: i64,
    pub(super) pid: i32,
    pub(super) log: PathBuf,
}

impl Status {
    fn read(value: &Value) -> Option<Status> {
        let status = &value["status"];
        Some(Status {
            state: status["state"].as_str()?.to_owned(),
            exit_code: status["exitCode"].as_i64().unwrap_or(0),
            pid: value["info"]["pid"].as_i64().unwrap_or(0).try_into().ok()?,
            log: status["logPath"].as_str()?.into(),
        })
    }

    /// Demands that it runs, as this process.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn demand_running(&self, pid: i32) -> Result<()> {
        ensure!(
            self.state == "CONTAINER_RUNNING" && self.pid == pid,
            "expected CONTAINER_RUNNING as {pid}, observed {self:?}"
        );
        Ok(())
    }
}
