//! Terminals: made in the container, held by the engine or by our foreground.

use super::driver::{Driver, on_each_runtime, on_ours};
use super::screen::sent_by;
use serde_json::json;
use testkit::{Need, Screen, requires};

fn with_terminal(driver: &Driver, script: &str) {
    driver.set("/process/terminal", json!(true));
    driver.set_script(script);
}

fn created(driver: &Driver) -> Screen {
    sent_by(driver, |socket| {
        driver.ok(&["create", "--console-socket", socket]);
    })
}

#[test]
fn who_listens_on_the_console_socket_talks_with_the_program() {
    on_each_runtime(&[], |driver| {
        with_terminal(driver, "tty; read line; echo got $line; sleep 60");
        let mut screen = created(driver);
        driver.ok(&["start"]);
        screen.shows("/dev/pts/0");
        screen.types("hello\n");
        screen.shows("got hello");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_terminal_has_the_size_that_the_configuration_gives() {
    on_each_runtime(&[], |driver| {
        with_terminal(driver, "stty size; sleep 60");
        driver.set("/process/consoleSize", json!({"height": 31, "width": 99}));
        let mut screen = created(driver);
        driver.ok(&["start"]);
        screen.shows("31 99");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn dev_console_is_the_terminal() {
    on_each_runtime(&[], |driver| {
        with_terminal(driver, "echo by another way >/dev/console; sleep 60");
        let mut screen = created(driver);
        driver.ok(&["start"]);
        screen.shows("by another way");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_terminal_belongs_to_the_containers_user() {
    on_each_runtime(&[], |driver| {
        driver.set("/process/user", json!({"uid": 1000, "gid": 1000}));
        with_terminal(driver, "test -O $(tty) && echo mine; sleep 60");
        let mut screen = created(driver);
        driver.ok(&["start"]);
        screen.shows("mine");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn the_containers_user_may_open_its_standard_output_anew() {
    on_each_runtime(&[], |driver| {
        driver.set("/process/user", json!({"uid": 1000, "gid": 1000}));
        driver.set_script("echo again >/dev/stdout");
        assert_eq!(driver.output(), "again\n");
    });
}

#[test]
fn a_terminal_that_nobody_would_hold_is_refused() {
    on_each_runtime(&[], |driver| {
        with_terminal(driver, "true");
        driver.fails(&["create"]);
        driver.fails(&["run", "--detach"]);
        driver.fails(&["state"]);
    });
}

#[test]
fn a_console_socket_for_no_terminal_is_refused() {
    on_each_runtime(&["true"], |driver| {
        driver.fails(&["create", "--console-socket", "/nowhere"]);
        driver.fails(&["run", "--console-socket", "/nowhere"]);
        driver.fails(&["state"]);
    });
}

#[test]
fn a_dev_pts_that_the_root_file_system_brings_is_no_terminal() {
    on_ours(&[], |driver| {
        with_terminal(driver, "true");
        driver.set("/mounts", json!([]));
        let (path, major, minor) = ("/dev/pts/ptmx", 5, 2);
        let ptmx =
            json!({"path": path, "type": "c", "major": major, "minor": minor});
        driver.set("/linux/devices", json!([ptmx]));
        let answer = driver.fails(&["run"]);
        let error = "imageless: config.json: process.terminal: /dev/pts/ptmx: ";
        assert!(answer.stderr.starts_with(error), "{answer:?}");
    });
}

#[test]
fn in_the_foreground_keys_reach_the_program_and_nothing_is_changed_by_us() {
    if !requires(&[Need::Program("setsid")]) {
        return;
    }
    on_each_runtime(&[], |driver| {
        with_terminal(
            driver,
            "trap 'exit 9' INT; echo ready; read line; echo got $line; \
             while :; do :; done",
        );
        let (mut screen, mut child) =
            Screen::around(&driver.command(&["run", driver.id()]));
        screen.shows("ready");
        screen.types("hello\n");
        screen.shows("got hello");
        // The container's own terminal makes a signal of it.
        screen.types("\x03");
        let status = child.wait().expect("nobody else reaps it");
        assert_eq!(status.code(), Some(9), "{}", driver.runtime.name);
    });
}

#[test]
fn in_the_foreground_the_size_of_our_window_is_the_programs() {
    if !requires(&[Need::Program("setsid")]) {
        return;
    }
    on_each_runtime(&[], |driver| {
        with_terminal(
            driver,
            "trap 'stty size' WINCH; echo ready; while :; do read -t 60 x; done",
        );
        let (mut screen, mut child) =
            Screen::around(&driver.command(&["run", driver.id()]));
        screen.shows("ready");
        screen.resize(41, 107);
        screen.shows("41 107");
        driver.ok(&["kill", "KILL"]);
        let status = child.wait().expect("nobody else reaps it");
        assert_eq!(status.code(), Some(137), "{}", driver.runtime.name);
    });
}

#[test]
fn what_the_program_prints_last_is_not_lost() {
    // runc wants a terminal of its own for this.
    on_ours(&[], |driver| {
        with_terminal(driver, "seq 1 20000; echo the end");
        let output = driver.output();
        assert!(output.ends_with("20000\r\nthe end\r\n"), "{}", output.len());
        assert_eq!(output.lines().count(), 20001);
    });
}
