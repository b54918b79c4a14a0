//! Processes by handle.

use namespaces::process::{
    SpawnOptions, dup_inherited, kill, pidfd_open, spawn, try_wait, wait,
    wait_for_end,
};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::unistd::Pid;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A handle on a process that lives until it is used.
#[expect(clippy::zombie_processes, reason = "reaped through its handle")]
fn sleeper() -> OwnedFd {
    let mut command = Command::new("sleep");
    let process = command.arg("1000").stdout(Stdio::null()).spawn().unwrap();
    pidfd_open(Pid::from_raw(process.id() as i32)).unwrap()
}

#[test]
fn a_process_with_threads_is_refused() {
    // Tests run in threads.
    let error = spawn(&SpawnOptions::default(), || 0).unwrap_err();
    assert_eq!(error.errno, Errno::EDEADLK);
    assert!(error.to_string().contains("more than one thread"), "{error}");
}

#[test]
fn a_handle_tells_when_its_process_has_ended_and_how() {
    let pidfd = sleeper();
    assert_eq!(try_wait(pidfd.as_fd()), Ok(None));
    assert_eq!(wait_for_end(pidfd.as_fd(), Duration::ZERO), Ok(false));
    kill(pidfd.as_fd(), libc::SIGTERM).unwrap();
    assert_eq!(wait_for_end(pidfd.as_fd(), Duration::from_secs(9)), Ok(true));
    assert_eq!(wait(pidfd.as_fd()).unwrap().code(), 143);
}

#[test]
fn the_handle_of_a_reaped_process_reaches_nobody() {
    let pidfd = sleeper();
    kill(pidfd.as_fd(), libc::SIGKILL).unwrap();
    wait(pidfd.as_fd()).unwrap();
    let error = kill(pidfd.as_fd(), libc::SIGTERM).unwrap_err();
    assert_eq!(error.errno, Errno::ESRCH);
    assert_eq!(wait(pidfd.as_fd()).unwrap_err().errno, Errno::ECHILD);
}

#[test]
fn nobody_has_a_handle_on_a_process_that_is_not_there() {
    let error = pidfd_open(Pid::from_raw(i32::MAX)).unwrap_err();
    assert_eq!(error.errno, Errno::ESRCH);
    let call = "pidfd_open(2147483647) = ESRCH: No such process";
    assert_eq!(error.to_string(), call);
}

#[test]
fn the_copy_of_an_inherited_descriptor_is_close_on_exec() {
    let copy = dup_inherited(0).unwrap();
    let flags = fcntl(&copy, FcntlArg::F_GETFD);
    assert_eq!(flags, Ok(libc::FD_CLOEXEC));
    assert_eq!(dup_inherited(-1).unwrap_err().errno, Errno::EBADF);
}
