//! The command line: what is wrong with it is told before there is a container.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod rig;

use std::fs;
use std::process::Command;

use rig::{json, ours, output};
use testkit::{Need, requires};

const NEEDS: [Need; 2] = [Need::Root, Need::Program("runc")];

#[test]
fn bad_arguments_are_one_line_and_status_2() {
    let shim = || Command::new(env!("CARGO_BIN_EXE_conman-shim"));
    let mut unknown = shim();
    unknown.arg("--no-such-option");
    let mut pipe = shim();
    pipe.args([
        "--cid=a",
        "--bundle=/b",
        "--runtime=r",
        "--container-pidfile=/no/c",
        "--shim-pidfile=/no/s",
    ]);
    pipe.args(["--exit-file=/no/e", "--log-path=/no/l"]);
    let mut closed = shim();
    closed.args(pipe.get_args());
    for (command, words) in [
        (shim(), "required arguments were not provided: --cid"),
        (unknown, "unexpected argument '--no-such-option'"),
        (with_sync_pipe(pipe, "many"), "_OCI_SYNCPIPE=many: invalid digit"),
        (
            with_sync_pipe(closed, "77"),
            "_OCI_SYNCPIPE: fcntl(77, F_DUPFD_CLOEXEC) = EBADF",
        ),
    ] {
        let output = output(command);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        assert!(
            stderr.starts_with("conman-shim: ") && stderr.contains(words),
            "{stderr}"
        );
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

fn with_sync_pipe(mut command: Command, number: &str) -> Command {
    command.env("_OCI_SYNCPIPE", number);
    command
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_there_is_a_container() {
    if !requires(&NEEDS) {
        return;
    }
    for option in ["--log-path", "--exit-file", "--shim-pidfile"] {
        let rig = ours(&["true"]);
        let nowhere = "/no/such/directory/file".into();
        let output = output(rig.command_with(&[(option, nowhere)]));

        let answer = json(std::str::from_utf8(&output.stdout).unwrap());
        let (why, stderr) = (
            answer["message"].as_str().unwrap(),
            String::from_utf8_lossy(&output.stderr),
        );
        assert_eq!(
            (output.status.code(), &answer["data"]),
            (Some(1), &(-1).into())
        );
        assert!(
            why.contains("/no/such/directory/") && why.contains("ENOENT"),
            "{why}"
        );
        assert_eq!(stderr, format!("conman-shim: {why}\n"));
        assert_eq!(rig.files(), Vec::<String>::new(), "{option}");
        assert!(rig.runtime.state(rig.id()).is_err());
    }
}

/// Whoever reads a FIFO could stop the container by not reading, and a symlink
/// could lead to any file of the host.
#[test]
fn a_log_that_is_no_regular_file_is_refused() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["true"]);
    let (fifo, link) = (rig.path("fifo"), rig.path("link"));
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::os::unix::fs::symlink("/etc/motd", &link).unwrap();
    for (log, errno) in [(fifo, "ENXIO"), (link, "ELOOP")] {
        let output = output(rig.command_with(&[("--log-path", log)]));
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(errno), "{stderr}");
    }
}

#[test]
fn an_exit_file_that_exists_is_the_truth_about_another_container() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["true"]);
    fs::write(rig.path("exit"), "{}").unwrap();
    let output = output(rig.command());
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("tells how another container ended")
    );
    assert_eq!(fs::read_to_string(rig.path("exit")).unwrap(), "{}");
}

#[test]
fn paths_longer_than_a_socket_address_are_fine() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sh", "-c", "exit 3"]);
    let deep = rig.path(&format!("{}/{}", "a".repeat(200), "b".repeat(200)));
    fs::create_dir_all(deep.parent().unwrap()).unwrap();
    fs::rename(rig.bundle.path(), &deep).unwrap();
    assert!(output(rig.command_with(&[("--bundle", deep)])).status.success());
    rig.start();
    assert_eq!(rig.exit_code(), 3);
}
