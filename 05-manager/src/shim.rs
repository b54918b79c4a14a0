//! The manager's side of 04-shim/PROTOCOL.md: starts a shim and reads its one
//! answer. Whether it lives is liveness.rs, its last word exit.rs. There is no
//! Cargo edge to it; both sides' tests read its golden files.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::error::{Error, Result, failed};
use crate::paths::Paths;
use crate::ready::wait_readable;
use crate::runtimes::Handler;

/// How long a runtime may take to create. It mounts and clones; a loaded
/// machine needs a second, a stuck file system for ever.
const CREATE: Duration = Duration::from_secs(60);

/// The answer is one line; a runtime's words in it may be long, but not
/// endless.
const ANSWER: usize = 64 * 1024;

/// What it takes to start a shim for one container.
#[derive(Debug)]
pub struct Shim<'a> {
    /// The program `conman-shim`.
    pub program: &'a Path,
    /// Where its files go.
    pub paths: &'a Paths,
    /// The runtime that it drives.
    pub handler: &'a Handler,
    /// The container's log.
    pub log: &'a Path,
}

/// One line of JSON: the sync pipe's answer.
#[derive(Deserialize)]
struct Answer {
    data: i32,
    #[serde(default)]
    message: String,
}

impl Shim<'_> {
    /// Starts a shim that creates container `id` from its bundle, and returns
    /// the container process' pid.
    ///
    /// When it returns, the shim has detached: it outlives this manager. The
    /// process started here has ended and was waited for.
    ///
    /// # Errors
    /// [`Error::Failed`]: the runtime's own words, the shim's, or that neither
    /// answered in time.
    ///
    /// Source: 04-shim/PROTOCOL.md, "Sync pipe"
    pub fn create(&self, id: &str) -> Result<i32> {
        let errors = self.paths.container(id).join("shim.log");
        let stderr = File::create(&errors)
            .map_err(failed(format!("open({errors:?})")))?;
        let mut command = self.command(id);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(failed(format!("execve({:?})", self.program)))?;
        let mut pipe = child.stdout.take().expect("stdout is piped above");
        let line = read_line(&mut pipe, CREATE);
        if line.is_err() {
            // It is stuck before it detached; a shim that detached is found by
            // its lock.
            let _ = child.kill(); // Err: it has ended by itself
        }
        let status = child.wait().map_err(failed("waitpid(conman-shim)"))?;
        match line? {
            line if line.is_empty() => {
                let words =
                    std::fs::read_to_string(&errors).unwrap_or_default();
                let words = match words.trim() {
                    "" => "it was killed before it answered",
                    words => words,
                };
                Err(Error::Failed(format!("conman-shim: {status}: {words}")))
            }
            line => parse_answer(&line),
        }
    }

    fn command(&self, id: &str) -> Command {
        let runtime_root = self.paths.runtime_root(&self.handler.name);
        let mut command = Command::new(self.program);
        command.arg("--cid").arg(id);
        command.arg("--bundle").arg(self.paths.bundle(id));
        command.arg("--runtime").arg(&self.handler.program);
        command
            .args(["--runtime-arg", "--root", "--runtime-arg"])
            .arg(runtime_root);
        command.arg("--container-pidfile").arg(self.paths.container_pid(id));
        command.arg("--shim-pidfile").arg(self.paths.shim_pid(id));
        command.arg("--exit-file").arg(self.paths.exit_file(id));
        command.arg("--log-path").arg(self.log);
        command
    }
}

fn parse_answer(line: &[u8]) -> Result<i32> {
    let answer: Answer = serde_json::from_slice(line).map_err(|error| {
        let line = String::from_utf8_lossy(line);
        Error::Failed(format!("conman-shim: sync pipe: {line:?}: {error}"))
    })?;
    if answer.data > 0 {
        Ok(answer.data)
    } else {
        Err(Error::Failed(answer.message))
    }
}

/// Reads one line; empty at end of file. Never waits for the end of file: a
/// runtime's init may hold the other end open until `start` (pitfall C16).
fn read_line(
    pipe: &mut (impl Read + AsFd),
    limit: Duration,
) -> Result<Vec<u8>> {
    let deadline = Instant::now() + limit;
    let (mut line, mut chunk) = (Vec::new(), [0; 4096]);
    while !line.contains(&b'\n') && line.len() < ANSWER {
        wait_readable(pipe.as_fd(), deadline, "conman-shim to answer")?;
        let read = pipe.read(&mut chunk).map_err(failed("read(sync pipe)"))?;
        if read == 0 {
            break;
        }
        line.extend_from_slice(&chunk[..read]);
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &str) -> Result<i32> {
        let golden = Path::new("../04-shim/tests/golden").join(name);
        parse_answer(&std::fs::read(golden).unwrap())
    }

    #[test]
    fn the_golden_answers_are_a_pid_and_the_runtimes_own_words() {
        assert_eq!(answer("sync-created.json").unwrap(), 4242);
        let error = answer("sync-failed.json").unwrap_err().to_string();
        assert_eq!(error, "exec: \"bahs\": executable file not found in $PATH");
    }

    #[test]
    fn an_answer_is_taken_though_the_pipe_stays_open() {
        let (mut read, mut write) = std::io::pipe().unwrap();
        std::io::Write::write_all(&mut write, b"{\"data\":7}\n").unwrap();
        let line = read_line(&mut read, Duration::from_secs(5)).unwrap();
        assert_eq!(parse_answer(&line).unwrap(), 7);
        drop(write);
    }

    #[test]
    fn a_shim_that_never_answers_is_given_up() {
        let (mut read, _write) = std::io::pipe().unwrap();
        let error = read_line(&mut read, Duration::from_millis(10))
            .unwrap_err()
            .to_string();
        assert_eq!(error, "waited for conman-shim to answer, in vain");
    }
}
