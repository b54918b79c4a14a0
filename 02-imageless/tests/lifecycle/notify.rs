//! `SCMP_ACT_NOTIFY`: calls that wait for what an agent decides. The agent here
//! decides nothing; when it hangs up, the kernel lets the call fail with ENOSYS.

use super::driver::{Driver, LIMIT, OURS, on_ours};
use namespaces::process::receive_fd;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::{Value, json};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::process::Child;
use testkit::eventually;

const MKDIR: &str = "mkdir /tmp/a 2>&1; true";
const NOT_DECIDED: &str =
    "mkdir: can't create directory '/tmp/a': Function not implemented\n";

/// Listens where the configuration says that an agent does.
fn agent(driver: &Driver) -> UnixListener {
    let path = driver.scratch.path().join("agent.sock");
    let listener = UnixListener::bind(&path).expect(OURS);
    driver.set(
        "/linux/seccomp",
        json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path, "listenerMetadata": "ours",
        "flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"}]}),
    );
    listener
}

/// What the agent is sent: a descriptor, and whose it is. Each connection is
/// for one process, and ends.
fn told(listener: &UnixListener) -> (OwnedFd, Value) {
    let (stream, _) = listener.accept().expect("it has connected");
    let (fd, text) = receive_fd(stream.as_fd()).expect("it has sent");
    let mut rest = Vec::new();
    let end = std::io::Read::read_to_end(&mut &stream, &mut rest);
    assert_eq!(end.expect("it has hung up"), 0);
    (fd, serde_json::from_slice(&text).expect("it is JSON"))
}

fn wait_for_a_call(listener: &OwnedFd) {
    let mut asked = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
    let limit = PollTimeout::try_from(LIMIT).expect("it fits");
    assert_eq!(poll(&mut asked, limit), Ok(1), "nobody asks");
}

fn pid_file(driver: &Driver) -> String {
    let path = driver.scratch.path().join("pid");
    path.to_str().expect("ASCII").to_owned()
}

fn end(driver: &Driver, child: Child) -> String {
    let answer = driver.answer(child);
    assert!(answer.status.success(), "{answer:?}");
    answer.stdout
}

#[test]
fn an_agent_is_asked_with_and_without_new_privileges() {
    on_ours(&[], |driver| {
        driver.set_script(MKDIR);
        let (listener, pid_file) = (agent(driver), pid_file(driver));
        driver.set("/annotations", json!({"a": "b"}));
        for no_new_privileges in [true, false] {
            driver.set("/process/noNewPrivileges", json!(no_new_privileges));
            let child =
                driver.spawn(&["run", "--pid-file", &pid_file, driver.id()]);
            let (fd, state) = told(&listener);
            assert_eq!(state["fds"], json!(["seccompFd"]));
            assert_eq!(state["metadata"], "ours");
            assert_eq!(state["state"]["id"], driver.id());
            assert_eq!(state["state"]["status"], "creating");
            assert_eq!(state["state"]["annotations"], json!({"a": "b"}));
            assert_eq!(state["state"]["pid"], state["pid"]);
            wait_for_a_call(&fd);
            assert_eq!(driver.read("pid"), state["pid"].to_string());
            drop(fd);
            assert_eq!(end(driver, child), NOT_DECIDED);
        }
    });
}

#[test]
fn exec_introduces_its_own_process() {
    on_ours(&["sleep", "60"], |driver| {
        let listener = agent(driver);
        driver.ok(&["run", "--detach"]);
        let (init, first) = told(&listener);
        let pid_file = pid_file(driver);
        let exec = ["exec", "--pid-file", &pid_file, driver.id()];
        let child = driver.spawn(&[&exec[..], &["sh", "-c", MKDIR]].concat());
        let (fd, state) = told(&listener);
        wait_for_a_call(&fd);
        // The runtime writes it when the program runs already.
        let noted = eventually(LIMIT, "the pid file is there", || {
            Some(driver.read("pid")).filter(|pid| !pid.is_empty())
        });
        assert_eq!(state["pid"].to_string(), noted);
        assert_eq!(state["state"]["pid"], first["pid"]);
        assert_eq!(state["state"]["status"], "running");
        drop(fd);
        assert_eq!(end(driver, child), NOT_DECIDED);
        drop(init);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn an_agent_that_is_not_there_is_told_before_anything_is_made() {
    on_ours(&["true"], |driver| {
        drop(agent(driver));
        let answer = driver.fails(&["create"]);
        let start = "imageless: config.json: linux.seccomp.listenerPath: \
                     connect(\"";
        assert!(answer.stderr.starts_with(start), "{answer:?}");
        driver.fails(&["state"]);
    });
}
