//! `runc-naive` as a program: what it does, and one clear line if it cannot.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::process::{Command, Output, Stdio};

use testkit::{Bundle, Need, Scratch, requires, subreaper};

fn runc_naive(scratch: &Scratch, runtime: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runc-naive"));
    command.args(["--runtime", runtime, "--root"]).arg(scratch.state_root());
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn refusal(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    stderr(&output)
}

#[test]
fn a_runtime_that_is_not_installed_is_named_with_the_way_out() {
    let mut command = runc_naive(&Scratch::new(), "no-such-runtime");
    command.arg("ps");
    assert_eq!(
        refusal(command),
        "runc-naive: execvp(\"no-such-runtime\") = ENOENT: \
         No such file or directory\n\
         hint: install that runtime, or name another one by its path\n"
    );
}

#[test]
fn a_runtime_that_prints_garbage_is_quoted() {
    let scratch = Scratch::new();
    let mut command = runc_naive(&scratch, "echo");
    command.arg("ps");
    let message = refusal(command);
    assert!(message.contains("printed \"--root"), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn a_missing_bundle_is_named() {
    let scratch = Scratch::new();
    let mut command = runc_naive(&scratch, "runc");
    command.args(["run", "/no/such/bundle"]);
    let message = refusal(command);
    assert!(message.starts_with("runc-naive: run /no/such/bundle: No such"));
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn a_bundle_without_config_json_says_who_writes_one() {
    let scratch = Scratch::new();
    let bundle = scratch.path().join("empty");
    fs::create_dir(&bundle).unwrap();
    let mut command = runc_naive(&scratch, "runc");
    command.arg("run").arg(&bundle);
    let message = refusal(command);
    assert!(message.contains("empty/config.json is missing\nhint: "));
}

#[test]
fn an_unknown_id_cannot_be_stopped() {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    let scratch = Scratch::new();
    let mut command = runc_naive(&scratch, "runc");
    command.args(["stop", "nobody"]);
    let message = "runc-naive: stop nobody: container nobody does not exist\n";
    assert_eq!(refusal(command), message);
}

#[test]
fn a_container_is_run_listed_and_stopped() {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    subreaper();
    let scratch = Scratch::new();
    let script = "echo hello; exec >&-; exec sleep 1000";
    let bundle = Bundle::busybox(&scratch, "box", &["sh", "-c", script]);

    let mut run = runc_naive(&scratch, "runc");
    // A file, not a pipe: the container keeps this stderr (pitfall C6).
    let errors = scratch.path().join("stderr");
    run.arg("run")
        .arg(bundle.path())
        .stderr(fs::File::create(&errors).unwrap());
    let output = run.stdin(Stdio::null()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\n");
    assert_eq!(
        fs::read_to_string(&errors).unwrap(),
        "runc-naive: box has closed its output; it is running\n"
    );

    let table = runc_naive(&scratch, "runc").arg("ps").output().unwrap().stdout;
    let table = String::from_utf8(table).unwrap();
    let row: Vec<_> =
        table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!((row[0], row[1]), ("box", "running"), "{table}");

    // PID 1 does not get SIGTERM: with no time for it, SIGKILL ends it.
    let mut stop = runc_naive(&scratch, "runc");
    let output = stop.args(["stop", "--time", "0", "box"]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let table = runc_naive(&scratch, "runc").arg("ps").output().unwrap().stdout;
    assert_eq!(String::from_utf8(table).unwrap().lines().count(), 1);
}
