//! `--pidfd-socket`. On ours only: runc has it since 1.2, and Debian's is older.

use super::driver::{Driver, OURS, on_ours};
use namespaces::process::receive_fd;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixListener;

const SLEEP: &[&str] = &["sleep", "60"];

fn listen(driver: &Driver) -> (UnixListener, String) {
    let path = driver.scratch.path().join("pidfd.sock");
    let listener = UnixListener::bind(&path).expect(OURS);
    (listener, path.to_str().expect("its name is ASCII").to_owned())
}

/// The pid that the received handle is for, and what came with it.
fn received(listener: &UnixListener) -> (String, Vec<u8>) {
    let (stream, _) = listener.accept().expect("it has connected");
    let (pidfd, kind) = receive_fd(stream.as_fd()).expect("it has sent");
    let info = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
    let info = fs::read_to_string(info).expect("it is open");
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"));
    (pid.expect("it is a pidfd").trim().to_owned(), kind)
}

#[test]
fn create_sends_a_handle_on_init() {
    on_ours(SLEEP, |driver| {
        let (listener, socket) = listen(driver);
        driver.ok(&["create", "--pidfd-socket", &socket]);
        let pid = driver.state()["pid"].to_string();
        assert_eq!(received(&listener), (pid, b"standard".to_vec()));
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn exec_sends_a_handle_on_its_own_process() {
    on_ours(SLEEP, |driver| {
        let (listener, socket) = listen(driver);
        driver.ok(&["create"]);
        driver.ok(&["start"]);
        let file = driver.scratch.path().join("pid");
        let options = ["exec", "--detach", "--pidfd-socket", &socket];
        let pid_file = ["--pid-file", file.to_str().expect("ASCII")];
        let command = [driver.id(), "sleep", "60"];
        let answer = driver.call(&[&options[..], &pid_file, &command].concat());
        assert!(answer.status.success(), "{answer:?}");
        let pid = driver.read("pid");
        assert_eq!(received(&listener), (pid.clone(), b"setns".to_vec()));
        // We have adopted it: until it is reaped, the pid namespace stays.
        let pid = Pid::from_raw(pid.parse().expect("a pid"));
        kill(pid, Signal::SIGKILL).expect("it runs");
        waitpid(pid, None).expect("it is ours to reap");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_socket_that_nobody_listens_on_is_told_before_anything_is_made() {
    on_ours(SLEEP, |driver| {
        let answer = driver.fails(&["create", "--pidfd-socket", "/not/there"]);
        assert_eq!(
            answer.stderr,
            "imageless: --pidfd-socket: connect(\"/not/there\") = ENOENT: No \
             such file or directory\n"
        );
        driver.fails(&["state"]);
    });
}
