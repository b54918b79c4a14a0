//! Hooks that fail: what is told, and what becomes of the container.

use super::driver::{Answer, Driver, LIMIT, on_each_runtime, on_ours};
use super::hooks::{script, set_hook, shared};
use serde_json::json;
use std::fs;
use std::time::{Duration, Instant};
use testkit::eventually;

const SLEEP: &[&str] = &["sleep", "60"];

fn gone(driver: &Driver) {
    driver.fails(&["state"]);
    assert_eq!(shared(driver, "journal"), "poststop\n");
}

#[test]
fn a_hook_of_create_that_fails_leaves_no_container() {
    on_each_runtime(SLEEP, |driver| {
        for moment in ["prestart", "createRuntime", "createContainer"] {
            let _ = fs::remove_file(driver.bundle.rootfs().join("journal"));
            set_hook(driver, moment, "exit 3");
            driver.fails(&["create"]);
            gone(driver);
        }
    });
}

#[test]
fn a_hook_of_start_that_fails_leaves_no_container() {
    on_ours(SLEEP, |driver| {
        for moment in ["startContainer", "poststart"] {
            set_hook(driver, moment, "exit 3");
            driver.ok(&["create"]);
            let answer = driver.fails(&["start"]);
            let error = format!("imageless: config.json: hooks.{moment}[0]: ");
            assert!(answer.stderr.starts_with(&error), "{answer:?}");
            gone(driver);
            fs::remove_file(driver.bundle.rootfs().join("journal")).unwrap();
        }
    });
}

#[test]
fn a_run_whose_start_fails_by_a_hook_runs_the_last_hooks_once() {
    on_ours(SLEEP, |driver| {
        set_hook(driver, "poststart", "exit 3");
        driver.fails(&["run", "--detach"]);
        gone(driver);
    });
}

#[test]
fn a_hook_that_fails_is_named_with_its_status_and_its_last_words() {
    on_ours(SLEEP, |driver| {
        let says = |answer: Answer, expected: &str| {
            let expected =
                format!("imageless: config.json: hooks.{expected}\n");
            assert_eq!(answer.stderr, expected);
        };
        let text = "echo first >&2; echo no card left >&2; exit 3";
        for moment in ["prestart", "createRuntime", "createContainer"] {
            set_hook(driver, moment, text);
            let expected = format!(
                "{moment}[0]: \"/bin/sh\": exit status 3: no card left"
            );
            says(driver.fails(&["create"]), &expected);
        }
        set_hook(driver, "createRuntime", "kill -KILL $$");
        says(
            driver.fails(&["create"]),
            "createRuntime[0]: \"/bin/sh\": ended by signal 9",
        );
        driver.set("/hooks", json!({"createRuntime": [{"path": "/no/hook"}]}));
        says(
            driver.fails(&["create"]),
            "createRuntime[0]: \"/no/hook\": exit status 127: \
             execve(\"/no/hook\", ..) = ENOENT: No such file or directory",
        );
    });
}

#[test]
fn a_hook_is_killed_at_its_timeout() {
    on_each_runtime(SLEEP, |driver| {
        for moment in ["createRuntime", "createContainer"] {
            let mut hook = script(driver, "exec sleep 60");
            hook["timeout"] = json!(1);
            let mut hooks = json!({});
            hooks[moment] = json!([hook]);
            driver.set("/hooks", hooks);
            let begin = Instant::now();
            driver.fails(&["create"]);
            let took = begin.elapsed();
            assert!(took >= Duration::from_secs(1), "{took:?}");
            assert!(took < LIMIT, "{took:?}");
            driver.fails(&["state"]);
        }
    });
}

#[test]
fn a_daemon_that_a_hook_leaves_behind_is_not_waited_for() {
    on_ours(SLEEP, |driver| {
        set_hook(driver, "createRuntime", "sleep 61 & echo $! > daemon");
        let begin = Instant::now();
        driver.ok(&["create"]);
        assert!(begin.elapsed() < LIMIT);
        driver.ok(&["delete", "--force"]);
        let pid = shared(driver, "daemon").trim().parse().expect("a pid");
        let pid = nix::unistd::Pid::from_raw(pid);
        nix::sys::signal::kill(pid, nix::sys::signal::SIGKILL)
            .expect("it runs");
        eventually(LIMIT, "the daemon ends", || {
            nix::sys::wait::waitpid(pid, None).ok()
        });
    });
}

#[test]
fn a_poststop_hook_that_fails_is_only_a_warning() {
    on_ours(SLEEP, |driver| {
        let note = script(driver, "echo second >> journal");
        let fails = script(driver, "echo busy >&2; exit 1");
        driver.set("/hooks", json!({"poststop": [fails, note]}));
        driver.ok(&["create"]);
        let answer = driver.ok(&["delete", "--force"]);
        assert_eq!(
            answer.stderr,
            "imageless: warning: config.json: hooks.poststop[0]: \"/bin/sh\": \
             exit status 1: busy\n"
        );
        assert_eq!(shared(driver, "journal"), "second\n");
        driver.fails(&["state"]);
    });
}

/// A file in memory would grow with it.
#[test]
fn what_a_hook_says_is_kept_as_far_as_it_is_quoted() {
    on_ours(SLEEP, |driver| {
        let text = "readlink /proc/self/fd/2 > where; \
                    head -c 50000000 /dev/zero | tr '\\0' x; echo; \
                    echo no card left; exit 3";
        set_hook(driver, "createRuntime", text);
        let answer = driver.fails(&["create"]);
        let end = "\"/bin/sh\": exit status 3: no card left\n";
        assert!(answer.stderr.ends_with(end), "{answer:?}");
        assert!(shared(driver, "where").starts_with("pipe:"));
    });
}

/// Waits until the process that a hook has written into a file has ended.
fn ended(driver: &Driver, file: &str) {
    let pid = shared(driver, file).trim().parse().expect("a pid");
    let pid = nix::unistd::Pid::from_raw(pid);
    eventually(LIMIT, "it has ended", || {
        // ECHILD: somebody else has reaped it.
        let _ = nix::sys::wait::waitpid(
            pid,
            Some(nix::sys::wait::WaitPidFlag::WNOHANG),
        );
        nix::sys::signal::kill(pid, None).err()
    });
}

#[test]
fn a_timeout_ends_what_the_hook_has_started_too() {
    on_ours(SLEEP, |driver| {
        let text = "sleep 61 & echo $! > child; wait";
        let mut hook = script(driver, text);
        hook["timeout"] = json!(1);
        driver.set("/hooks", json!({"createRuntime": [hook]}));
        driver.fails(&["create"]);
        ended(driver, "child");
    });
}

#[test]
fn a_create_that_is_killed_takes_its_hook_with_it() {
    on_ours(SLEEP, |driver| {
        let text = "echo $$ > hook.new; mv hook.new hook; exec sleep 61";
        let hook = script(driver, text);
        driver.set("/hooks", json!({"createRuntime": [hook]}));
        let mut create = driver.spawn(&["create", driver.id()]);
        let file = driver.bundle.rootfs().join("hook");
        eventually(LIMIT, "the hook runs", || file.exists().then_some(()));
        create.kill().expect("it is ours");
        create.wait().expect("it is ours");
        ended(driver, "hook");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_program_that_is_none_has_no_poststart_hooks() {
    on_ours(&["/bad"], |driver| {
        let bad = driver.bundle.rootfs().join("bad");
        fs::write(&bad, "\x7fELF of another world").unwrap();
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&bad, all).unwrap();
        set_hook(driver, "poststart", "echo poststart >> journal");
        driver.ok(&["create"]);
        let answer = driver.fails(&["start"]);
        let start = "imageless: execve(\"/bad\", ..) = ENOEXEC";
        assert!(answer.stderr.starts_with(start), "{answer:?}");
        gone(driver);
    });
}

#[test]
fn a_poststop_hook_that_fails_is_in_the_log_as_a_warning() {
    on_ours(SLEEP, |driver| {
        driver.set("/hooks", json!({"poststop": [{"path": "/bin/false"}]}));
        driver.ok(&["create"]);
        let log = driver.scratch.path().join("log");
        let to = ["--log", log.to_str().unwrap(), "--log-format", "json"];
        let delete = ["delete", driver.id()];
        assert!(driver.call(&[&to[..], &delete].concat()).status.success());
        let record: serde_json::Value =
            serde_json::from_str(&driver.read("log")).expect("one record");
        assert_eq!(record["level"], "warning");
        let text = "config.json: hooks.poststop[0]: \"/bin/false\": \
                    exit status 1";
        assert_eq!(record["msg"], text);
    });
}
