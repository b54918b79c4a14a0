//! Bad input: one clear line that names what is wrong, and nothing left behind.

use super::driver::{Driver, OURS, on_ours};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;

/// Creates, which has to fail with `error`, and shows that nothing is left: the
/// state directory here, cgroups, mounts and processes by the scratch.
fn refused(driver: &Driver, error: &str) {
    let answer = driver.fails(&["create"]);
    let start = format!("imageless: {error}");
    assert!(
        answer.stderr.starts_with(&start),
        "expected {start}\ngot {}",
        answer.stderr
    );
    let left: Vec<_> =
        fs::read_dir(driver.scratch.state_root()).expect(OURS).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_bad_field_is_named() {
    on_ours(&["true"], |driver| {
        let mounts = |value: Value| json!([value]);
        #[rustfmt::skip]
        let table = [
            ("/process/args", json!("sh"), "config.json: process.args: invalid type: string"),
            ("/process/args", json!([]), "config.json: process.args: missing or empty"),
            ("/process/args", json!(["bahs"]), "config.json: process.args[0]: exec: \"bahs\": executable file not found in $PATH"),
            ("/process/rlimits", json!([{"type": "RLIMIT_NOFILE", "soft": 0, "hard": 0}]), "config.json: process.rlimits[0].soft: 0: "),
            ("/process/cwd", json!("tmp"), "config.json: process.cwd: \"tmp\" is not an absolute path"),
            ("/process/cwd", json!("/not/there"), "config.json: process.cwd: chdir(\"/not/there\") = ENOENT"),
            ("/process/user", json!({"uid": -1}), "config.json: process.user.uid: invalid value"),
            ("/process/user", json!({"uid": 4_294_967_296_u64}), "config.json: process.user.uid: invalid value"),
            ("/process/rlimits", json!([{"type": "RLIMIT_NOFILE", "soft": 9_000_000, "hard": 9_000_000}]),
             "config.json: process.rlimits: setrlimit(RLIMIT_NOFILE, {9000000, 9000000}) = EPERM"),
            ("/root/path", json!("nowhere"), "config.json: root.path: "),
            ("/root/path", json!("config.json"), "config.json: root.path: "),
            ("/hooks", json!({"prestart": [{"path": "true"}]}), "config.json: hooks.prestart[0].path: \"true\" is not an absolute path"),
            ("/hooks", json!({"poststop": [{"path": "/x"}, {"path": "/x", "timeout": 0}]}), "config.json: hooks.poststop[1].timeout: 0 is not above 0"),
            ("/linux/seccomp", json!({"defaultAction": "SCMP_ACT_NOTIFY"}), "config.json: linux.seccomp: defaultAction: SCMP_ACT_NOTIFY: the calls that tell"),
            ("/linux/seccomp", json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_KILL", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_IS"}]}]}), "config.json: linux.seccomp.syscalls[0].args[0].op: unknown variant `SCMP_CMP_IS`"),
            ("/linux/namespaces", json!([{"type": "pid"}]), "config.json: linux.namespaces: a new mount namespace is missing"),
            ("/linux/namespaces", json!([{"type": "moon"}]), "config.json: linux.namespaces[0].type: unknown variant `moon`"),
            ("/linux/namespaces", json!([{"type": "mount"}, {"type": "network", "path": "/proc/self/ns/uts"}, {"type": "uts"}]),
             "config.json: linux.namespaces[1].path: \"/proc/self/ns/uts\": setns(.., CLONE_NEWNET) = EINVAL"),
            ("/linux/sysctl", json!({"kernel.core_pattern": "x"}), "config.json: linux.sysctl[\"kernel.core_pattern\"]: belongs to no namespace"),
            ("/linux/sysctl", json!({"net.ipv4.ip_forward": "banana"}), "config.json: linux.sysctl[\"net.ipv4.ip_forward\"]: write("),
            ("/linux/cgroupsPath", json!("/a/../../b"), "config.json: linux.cgroupsPath: "),
            ("/linux/resources", json!({"memory": {"limit": 1}}), "config.json: linux.resources: write(\"memory."),
            ("/linux/resources", json!({"memory": {"limit": 4096}}), "init ended without a word"),
            ("/linux/resources", json!({"cpu": {"quota": 1000, "period": 1}}), "config.json: linux.resources: write("),
            ("/linux/resources", json!({"cpu": {"cpus": "0-"}}), "config.json: linux.resources.cpu.cpus: not a list such as 0-3,7"),
            ("/linux/devices", json!([{"path": "/dev/x", "type": "a", "major": 1, "minor": 1}]), "config.json: linux.devices[0].type: "),
            ("/mounts", mounts(json!({"destination": "/x", "type": "moonfs"})), "config.json: mounts[0]: mount(\"moonfs\", \"/x\", \"moonfs\", 0, NULL) = ENODEV"),
            ("/mounts", mounts(json!({"destination": "/x", "source": "/not/there", "options": ["bind"]})), "config.json: mounts[0]: source: lstat(\"/not/there\") = ENOENT"),
            ("/mounts", mounts(json!({"destination": "/x", "type": "proc", "options": ["tmpcopyup"]})), "config.json: mounts[0]: options: \"tmpcopyup\""),
            ("/mounts", mounts(json!({"destination": "/", "type": "tmpfs"})), "config.json: mounts[0]: destination: "),
            ("/mounts", mounts(json!({"destination": "/c", "type": "cgroup", "options": ["frob"]})), "config.json: mounts[0]: options: \"frob\""),
            ("/linux/maskedPaths", json!(["proc/keys"]), "config.json: linux.maskedPaths[0]: "),
            ("/linux/readonlyPaths", json!([""]), "config.json: linux.readonlyPaths[0]: "),
            ("/hostname", json!("a\nb"), "config.json: hostname: \"a\\nb\" has a control character\n"),
            ("/hostname", json!("x".repeat(5_000)), "config.json: hostname: 5000 bytes"),
            ("/linux/namespaces", json!([{"type": "mo\non"}]), "config.json: linux.namespaces[0].type: unknown variant `mo\\non`"),
            ("/ociVersion", json!("2.0.0"), "config.json: ociVersion: "),
        ];
        let config = driver.bundle.path().join("config.json");
        let good = fs::read(&config).unwrap();
        for (pointer, value, error) in table {
            driver.set(pointer, value);
            refused(driver, error);
            fs::write(&config, &good).unwrap();
        }
        driver.ok(&["run"]);
    });
}

#[test]
fn broken_json_is_told_by_line_and_column() {
    on_ours(&["true"], |driver| {
        let config = driver.bundle.path().join("config.json");
        for (text, error) in [
            (
                "{\n  \"ociVersion\": ]",
                "config.json: expected value at line 2 column 17",
            ),
            ("", "config.json: EOF while parsing"),
            ("[]", "config.json: "),
            (
                "{\"ociVersion\": \"1.0.0\"} x",
                "config.json: trailing characters",
            ),
        ] {
            fs::write(&config, text).unwrap();
            refused(driver, error);
        }
        fs::remove_file(&config).unwrap();
        refused(driver, &format!("{}: no such file\nhint: ", config.display()));
    });
}

#[test]
fn a_bundle_that_is_not_there_is_told() {
    on_ours(&["true"], |driver| {
        let answer = driver.call(&["create", "--bundle", "/not/there", "a"]);
        assert_eq!(
            answer.stderr,
            "imageless: --bundle: open(\"/not/there\", O_DIRECTORY) = ENOENT: \
             No such file or directory\n"
        );
    });
}

#[test]
fn an_id_that_is_a_path_is_refused_by_every_verb() {
    on_ours(&["true"], |driver| {
        for verb in ["create", "start", "state", "kill", "delete", "run"] {
            for id in ["../x", ".", "..", "", "a/b", "a b"] {
                let answer = driver.call(&[verb, id]);
                assert_eq!(answer.status.code(), Some(1), "{verb} {id:?}");
                assert!(
                    answer.stderr.starts_with("imageless: container id"),
                    "{answer:?}"
                );
            }
        }
    });
}

#[test]
fn an_option_that_would_be_ignored_is_refused() {
    on_ours(&["true"], |driver| {
        for (args, error) in [
            (&["create", "--no-pivot"][..], "--no-pivot: "),
            (&["create", "--preserve-fds", "9"], "--preserve-fds 9: readlink("),
            (
                &["create", "--preserve-fds", "4294967295"],
                "--preserve-fds 4294967295: readlink(\"/proc/self/fd/",
            ),
            (
                &["--systemd-cgroup", "create"],
                "config.json: linux.cgroupsPath: ",
            ),
        ] {
            let answer = driver.call(&[args, &[driver.id()]].concat());
            assert!(
                answer.stderr.starts_with(&format!("imageless: {error}")),
                "{answer:?}"
            );
        }
    });
}

#[test]
fn a_signal_that_does_not_exist_is_refused() {
    on_ours(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        for signal in ["BAHS", "0", "99", "-1"] {
            let answer = driver.call(&["kill", driver.id(), "--", signal]);
            assert!(
                answer.stderr.starts_with("imageless: signal"),
                "{answer:?}"
            );
        }
        assert_eq!(driver.status(), "created");
        driver.ok(&["delete", "--force"]);
    });
}

#[test]
fn the_log_holds_the_error_as_one_json_object() {
    on_ours(&["bahs"], |driver| {
        let log = driver.scratch.path().join("log");
        let log = log.to_str().unwrap();
        driver.call(&[
            "--log",
            log,
            "--log-format",
            "json",
            "run",
            driver.id(),
        ]);
        let record: Value = serde_json::from_str(&driver.read("log")).unwrap();
        assert_eq!(record["level"], "error");
        let msg = record["msg"].as_str().unwrap();
        assert!(msg.contains("executable file not found in $PATH"), "{msg}");
        assert!(record["time"].is_string());
    });
}

#[test]
fn a_symlink_in_the_root_does_not_lead_a_mount_out_of_it() {
    on_ours(&["true"], |driver| {
        let outside = driver.scratch.path().join("outside");
        fs::create_dir(&outside).unwrap();
        symlink(&outside, driver.bundle.rootfs().join("data")).unwrap();
        driver.set(
            "/mounts",
            json!([{"destination": "/data/made", "type": "tmpfs"}]),
        );
        driver.call(&["run", driver.id()]);
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    });
}

#[test]
fn proc_is_not_mounted_through_a_symlink() {
    on_ours(&["true"], |driver| {
        let rootfs = driver.bundle.rootfs();
        fs::remove_dir(rootfs.join("proc")).unwrap();
        symlink("/tmp", rootfs.join("proc")).unwrap();
        refused(driver, "config.json: mounts[0]: openat2(");
    });
}

#[test]
fn the_state_directory_is_closed_to_others() {
    on_ours(&["sleep", "60"], |driver| {
        driver.ok(&["create"]);
        let dir = driver.scratch.state_root().join(driver.id());
        let mode = fs::metadata(dir).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        driver.ok(&["delete"]);
    });
}

/// Stderr is a full disk here, where printing would panic.
#[test]
fn an_error_that_cannot_be_told_is_an_error_all_the_same() {
    on_ours(&["/nowhere"], |driver| {
        let log = driver.scratch.path().join("log");
        let log = log.to_str().expect("our paths are text");
        let mut create = driver.command(&["--log", log, "create", driver.id()]);
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        create.stderr(full.expect("it is everywhere"));
        let status = create.status().expect("the runtime was found");
        assert_eq!(status.code(), Some(1), "{status}");
        assert!(driver.read("log").contains("/nowhere"));
    });
}
