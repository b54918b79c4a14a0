//! Hooks: when each runs, where, and with what.

use super::driver::{Driver, LIMIT, OURS, on_each_runtime, on_ours};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use testkit::eventually;

const SLEEP: &[&str] = &["sleep", "60"];

const MOMENTS: [&str; 6] = [
    "prestart",
    "createRuntime",
    "createContainer",
    "startContainer",
    "poststart",
    "poststop",
];

/// A hook that is a script and starts in the root filesystem's directory, by a
/// path that leads there from outside and from inside.
pub(super) fn script(driver: &Driver, text: &str) -> Value {
    let rootfs = driver.bundle.rootfs();
    let shared = driver.scratch.path().join("shared");
    if !shared.exists() {
        symlink(&rootfs, &shared).expect(OURS);
        // The container has another root: there the same path is a link to it.
        let inside = rootfs.join(shared.strip_prefix("/").expect("absolute"));
        let parent = inside.parent().expect("it has a name");
        fs::create_dir_all(parent).expect(OURS);
        symlink("/", inside).expect(OURS);
    }
    let text = format!("cd {} || exit 99; {text}", shared.display());
    json!({"path": "/bin/sh", "args": ["sh", "-c", text],
           "env": ["PATH=/bin:/usr/bin"]})
}

/// Gives every moment a hook.
fn set_hooks(driver: &Driver, text: impl Fn(&str) -> String) {
    let mut hooks = json!({});
    for moment in MOMENTS {
        hooks[moment] = json!([script(driver, &text(moment))]);
    }
    driver.set("/hooks", hooks);
}

pub(super) fn set_hook(driver: &Driver, moment: &str, text: &str) {
    let note = script(driver, "echo poststop >> journal");
    let mut hooks = json!({"poststop": [note]});
    hooks[moment] = json!([script(driver, text)]);
    driver.set("/hooks", hooks);
}

pub(super) fn shared(driver: &Driver, file: &str) -> String {
    fs::read_to_string(driver.bundle.rootfs().join(file)).unwrap_or_default()
}

/// Starts, and waits for the program: runc runs hooks of the start after
/// `start` has returned.
fn start(driver: &Driver) {
    let pid = driver.state()["pid"].to_string();
    driver.ok(&["start"]);
    eventually(LIMIT, "init becomes the program", || {
        let cmdline = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        (cmdline == b"sleep\x0060\0").then_some(())
    });
}

fn whole_life(driver: &Driver) {
    driver.ok(&["create"]);
    start(driver);
    driver.ok(&["kill", "KILL"]);
    driver.wait_for("stopped");
    driver.ok(&["delete"]);
}

#[test]
fn the_hooks_run_once_each_in_the_order_of_a_containers_life() {
    on_each_runtime(SLEEP, |driver| {
        set_hooks(driver, |moment| format!("echo {moment} >> journal"));
        whole_life(driver);
        let journal = shared(driver, "journal");
        let mut order: Vec<&str> = journal.lines().collect();
        if driver.runtime.name == "runc" {
            // runc 1.1 runs them in `create`.
            let early = order.iter().position(|at| *at == "poststart");
            let early = order.remove(early.expect("it ran"));
            order.insert(4, early);
        }
        assert_eq!(order, MOMENTS, "{}", driver.runtime.name);
    });
}

#[test]
fn the_hooks_of_create_run_in_create_and_those_of_start_in_start() {
    on_ours(SLEEP, |driver| {
        set_hooks(driver, |moment| format!("echo {moment} >> journal"));
        let ran = || shared(driver, "journal").lines().count();
        driver.ok(&["create"]);
        assert_eq!(ran(), 3);
        driver.ok(&["start"]);
        assert_eq!(ran(), 5);
        driver.ok(&["delete", "--force"]);
        assert_eq!(ran(), 6);
    });
}

#[test]
fn start_container_hooks_run_before_the_program() {
    on_each_runtime(&[], |driver| {
        driver.set_script("echo program >> /journal");
        set_hook(driver, "startContainer", "echo hook >> journal");
        driver.ok(&["run"]);
        assert_eq!(shared(driver, "journal"), "hook\nprogram\npoststop\n");
    });
}

#[test]
fn poststart_hooks_find_the_program_running() {
    on_ours(SLEEP, |driver| {
        set_hook(
            driver,
            "poststart",
            "pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'); \
             tr '\\0' ' ' < /proc/$pid/cmdline > found",
        );
        driver.ok(&["create"]);
        driver.ok(&["start"]);
        assert_eq!(shared(driver, "found"), "sleep 60 ");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn create_runtime_hooks_find_the_mounts_made() {
    on_each_runtime(SLEEP, |driver| {
        let proc = driver.bundle.rootfs().join("proc");
        let text = format!(
            "pid=$(sed 's/.*\"pid\":\\([0-9]*\\).*/\\1/'); \
             grep -c ' {} ' /proc/$pid/mountinfo > found",
            proc.display()
        );
        set_hook(driver, "createRuntime", &text);
        driver.ok(&["create"]);
        assert_eq!(shared(driver, "found"), "1\n");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn each_hook_reads_the_state_of_the_container() {
    on_each_runtime(SLEEP, |driver| {
        driver.set("/annotations", json!({"org.example.key": "value"}));
        set_hooks(driver, |moment| format!("cat > {moment}.json"));
        driver.ok(&["create"]);
        let pid = driver.state()["pid"].clone();
        start(driver);
        driver.ok(&["delete", "--force"]);
        for (moment, status, pid) in [
            ("prestart", "creating", &pid),
            ("createRuntime", "creating", &pid),
            ("createContainer", "creating", &json!(1)),
            ("startContainer", "created", &json!(1)),
            ("poststart", "running", &pid),
            ("poststop", "stopped", &Value::Null),
        ] {
            let text = shared(driver, &format!("{moment}.json"));
            let state: Value = serde_json::from_str(&text).expect(moment);
            let context = format!("{} {moment}: {text}", driver.runtime.name);
            assert_eq!(state["id"], driver.id(), "{context}");
            let bundle = driver.bundle.path().to_str();
            assert_eq!(state["bundle"].as_str(), bundle, "{context}");
            let value = &state["annotations"]["org.example.key"];
            assert_eq!(value, "value", "{context}");
            assert_eq!(&state["pid"], pid, "{context}");
            // runc 1.1 runs it in `create`.
            let early = moment == "poststart" && driver.runtime.name == "runc";
            let status = if early { "created" } else { status };
            assert_eq!(state["status"], status, "{context}");
        }
    });
}

#[test]
fn a_hook_has_exactly_its_arguments_and_its_environment() {
    on_each_runtime(SLEEP, |driver| {
        let rootfs = driver.bundle.rootfs();
        // `exit`: a shell may become its last command, and then that one's
        // environment is the shell's, with PWD and SHLVL.
        let text = format!(
            "cd {} && cat /proc/$$/cmdline > \
             args && cat /proc/$$/environ > env; exit",
            rootfs.display()
        );
        let args = ["sh", "-c", &text, "", "a b"];
        let env = ["PATH=/bin:/usr/bin", "A=", "B=x y"];
        driver.set(
            "/hooks",
            json!({"createRuntime": [
                {"path": "/bin/sh", "args": args, "env": env}
            ]}),
        );
        driver.ok(&["create"]);
        assert_eq!(shared(driver, "args"), args.join("\0") + "\0");
        assert_eq!(shared(driver, "env"), env.join("\0") + "\0");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn two_hooks_run_inside_and_the_others_outside() {
    const LINKS: &str =
        "for kind in mnt pid uts net; do readlink /proc/self/ns/$kind; done";
    on_each_runtime(SLEEP, |driver| {
        set_hooks(driver, |moment| format!("{LINKS} > {moment}"));
        driver.ok(&["create"]);
        let pid = driver.state()["pid"].to_string();
        let namespaces = |process: &str| -> String {
            let link = |kind| {
                let link = format!("/proc/{process}/ns/{kind}");
                let link = fs::read_link(link).expect("it runs");
                format!("{}\n", link.display())
            };
            ["mnt", "pid", "uts", "net"].into_iter().map(link).collect()
        };
        let (ours, inits) = (namespaces("self"), namespaces(&pid));
        start(driver);
        driver.ok(&["delete", "--force"]);
        for moment in MOMENTS {
            let inside =
                ["createContainer", "startContainer"].contains(&moment);
            let expected = if inside { &inits } else { &ours };
            let name = &driver.runtime.name;
            assert_eq!(&shared(driver, moment), expected, "{name} {moment}");
        }
    });
}

#[test]
fn a_create_container_hook_starts_in_the_root_to_be() {
    on_each_runtime(SLEEP, |driver| {
        driver.set(
            "/hooks",
            json!({"createContainer": [
                {"path": "/bin/sh", "args": ["sh", "-c", "pwd > place"]}
            ]}),
        );
        driver.ok(&["create"]);
        let rootfs = driver.bundle.rootfs();
        let place = format!("{}\n", rootfs.display());
        assert_eq!(shared(driver, "place"), place);
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn a_create_container_hook_makes_no_files_that_all_may_write() {
    on_ours(SLEEP, |driver| {
        set_hook(driver, "createContainer", "umask > mask");
        driver.ok(&["create"]);
        assert_eq!(shared(driver, "mask"), "0022\n");
        driver.ok(&["delete", "--force"]);
    });
}
