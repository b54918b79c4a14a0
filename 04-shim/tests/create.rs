//! Creating, and all the ways in which it fails: always one answer, always the
//! reason, never anything half-made.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod rig;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rig::{DEADLINE, golden, json, normalised, ours, output};
use runc_naive::{Force, Status};
use testkit::{Need, eventually, requires};

const NEEDS: [Need; 2] = [Need::Root, Need::Program("runc")];

#[test]
fn success_is_the_container_process_pid() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sleep", "1000"]);
    let answer = rig.create();
    assert_eq!(normalised(&answer), golden("sync-created.json"));
    let pid = rig.runtime.state(rig.id()).unwrap().pid;
    assert_eq!(json(&answer)["data"], pid.unwrap());
    assert_eq!(
        fs::read_to_string(rig.path("container.pid")).unwrap(),
        pid.unwrap().to_string()
    );
}

#[test]
fn failure_is_the_runtime_s_own_words() {
    if !requires(&NEEDS) {
        return;
    }
    let mut rig = ours(&["true"]);
    let said = r#"time="2026-11-23T18:00:00Z" level=error msg="exec: \"bahs\": executable file not found in $PATH""#;
    rig.fake_runtime(&format!("cat >&2 <<'END'\n{said}\nEND\nexit 1"));
    assert_eq!(rig.create(), golden("sync-failed.json"));
    assert_eq!(rig.files(), ["log"], "only the log stays, with the same words");
}

/// C15: a pipe holds 64 KiB, so a runtime that says more waits for its reader.
#[test]
fn a_runtime_with_much_to_say_does_not_block() {
    if !requires(&NEEDS) {
        return;
    }
    let mut rig = ours(&["true"]);
    rig.fake_runtime("yes warning | head -c 200000 >&2; yes | head -c 200000; echo reason >&2; exit 1");
    let why = rig.refused();
    assert!(
        why.ends_with("reason") && why.len() <= 16 * 1024,
        "{} bytes",
        why.len()
    );
}

#[test]
fn a_runtime_that_does_not_exist_is_named() {
    if !requires(&NEEDS) {
        return;
    }
    let mut rig = ours(&["true"]);
    rig.program = "/no/such/runtime".into();
    let why = rig.refused();
    assert!(why.contains(r#"execvp("/no/such/runtime") = ENOENT"#), "{why}");
    assert_eq!(rig.files(), ["log"]);
}

/// C16: the runtime's init would hold the pipe open until `start`, and a reader
/// to end-of-file would wait for itself.
#[test]
fn the_sync_pipe_has_its_end_as_soon_as_the_answer_is_given() {
    if !requires(&[Need::Root, Need::Program("runc"), Need::Program("crun")]) {
        return;
    }
    let mut rig = ours(&["sleep", "1000"]);
    for runtime in [rig.program.clone(), testkit::crun(&rig.scratch).program] {
        rig.program = runtime.clone();
        let output =
            output(rig.shell(r#"_OCI_SYNCPIPE=7 exec "$@" 7>&1 >/dev/null"#));
        assert!(
            json(std::str::from_utf8(&output.stdout).unwrap())["data"].as_i64()
                > Some(0),
            "{output:?}"
        );
        runc_naive::Runtime::new(runtime)
            .root(rig.scratch.state_root())
            .delete(rig.id(), Force::Yes)
            .unwrap();
        rig.exit_file();
        rig.wait_for_shims_end();
        fs::remove_file(rig.path("exit")).unwrap();
    }
}

/// C31, and no descriptor but the three: what a runtime inherits, it may pass
/// on.
#[test]
fn the_runtime_inherits_clean_signals_and_descriptors() {
    if !requires(&NEEDS) {
        return;
    }
    let mut rig = ours(&["true"]);
    rig.fake_runtime("cat /proc/self/status >&2; ls -l /proc/self/fd >$SCRATCH/fds; env >$SCRATCH/env; exit 1");
    // A manager that ignores signals, and has other descriptors open.
    let manager =
        rig.shell(r#"trap '' CHLD PIPE TERM; exec "$@" 5</etc/passwd"#);
    let status = String::from_utf8(output(manager).stdout).unwrap();
    // The C library keeps 32 and 33 for itself: nobody can set them, and who
    // ignores them is not the shim.
    let reserved = 0x1_8000_0000;
    for field in ["SigBlk:\\t", "SigIgn:\\t"] {
        let (_, mask) = status.split_once(field).unwrap();
        assert_eq!(
            u64::from_str_radix(&mask[..16], 16).unwrap() & !reserved,
            0,
            "{status}"
        );
    }
    let fds = fs::read_to_string(rig.path("fds")).unwrap();
    assert!(!fds.contains("passwd"), "{fds}");
    assert_eq!(
        fds.matches("pipe:").count(),
        1,
        "standard error, and no sync pipe: {fds}"
    );
    assert!(
        !fs::read_to_string(rig.path("env")).unwrap().contains("_OCI_SYNCPIPE")
    );
}

#[test]
fn sigterm_gives_up_a_create_that_hangs_and_ends_what_it_left() {
    if !requires(&NEEDS) {
        return;
    }
    let mut rig = ours(&["true"]);
    // A hook that outlives its runtime, and a grandchild of it.
    rig.fake_runtime("case $* in *create*) (sleep 1000 & sleep 1000) & touch $SCRATCH/hangs; exec sleep 1000;; esac");
    let mut shim = rig.command().stdout(Stdio::piped()).spawn().unwrap();
    eventually(DEADLINE, "the runtime hangs", || {
        rig.path("hangs").exists().then_some(())
    });
    kill(Pid::from_raw(rig.shim_pid()), Signal::SIGTERM).unwrap();

    let mut answer = String::new();
    shim.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    shim.wait().unwrap();
    assert_eq!(
        json(&answer)["message"],
        "create was given up: the shim got SIGTERM"
    );
    // And no process: the scratch directory looks for them.
    assert_eq!(rig.files(), ["hangs", "log"]);
}

#[test]
fn a_real_container_that_is_given_up_half_way_leaves_nothing() {
    if !requires(&NEEDS) {
        return;
    }
    let mut rig = ours(&["sleep", "1000"]);
    // runc makes the container, and then does not come back.
    rig.fake_runtime("case $* in *create*) runc \"$@\"; touch $SCRATCH/made; exec sleep 1000;; *) exec runc \"$@\";; esac");
    let mut shim = rig.command().stdout(Stdio::piped()).spawn().unwrap();
    eventually(DEADLINE, "the container is made", || {
        rig.path("made").exists().then_some(())
    });
    assert_eq!(rig.runtime.state(rig.id()).unwrap().status, Status::Created);
    kill(Pid::from_raw(rig.shim_pid()), Signal::SIGTERM).unwrap();
    let mut answer = String::new();
    shim.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    shim.wait().unwrap();
    assert_eq!(json(&answer)["data"], -1);
    assert!(
        rig.runtime.state(rig.id()).is_err(),
        "the container is still there"
    );
}

#[test]
fn an_id_in_use_is_refused_and_the_first_container_left_alone() {
    if !requires(&NEEDS) {
        return;
    }
    let rig = ours(&["sleep", "1000"]);
    let first = rig.run();
    let files =
        ["--container-pidfile", "--shim-pidfile", "--exit-file", "--log-path"];
    let second =
        files.map(|option| (option, rig.path(&format!("second{option}"))));
    let answer = output(rig.command_with(&second));
    assert!(
        String::from_utf8_lossy(&answer.stdout).starts_with(r#"{"data":-1"#),
        "{answer:?}"
    );
    assert_eq!(rig.runtime.state(rig.id()).unwrap().pid, Some(first));
}

#[test]
fn a_process_that_is_no_child_of_the_shim_is_not_adopted() {
    if !requires(&NEEDS) {
        return;
    }
    let mut rig = ours(&["true"]);
    rig.fake_runtime(r#"printf 1 >"$PIDFILE""#);
    let why = rig.refused();
    assert!(why.starts_with("process 1 is no child of the shim"), "{why}");
    assert_eq!(rig.files(), ["log"]);
}

#[test]
fn a_runtime_that_writes_no_pid_has_not_created() {
    if !requires(&NEEDS) {
        return;
    }
    let mut rig = ours(&["true"]);
    // Of an earlier container.
    fs::write(rig.path("container.pid"), "1").unwrap();
    rig.fake_runtime("exit 0");
    let why = rig.refused();
    assert!(why.contains("container.pid") && why.contains("ENOENT"), "{why}");
}
