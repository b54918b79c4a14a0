//! Who the process is: numbers that are none, too large, or names in the
//! image's own user database. None of them may come out as root.

use crate::driver::{LIMIT, OURS, on_each_runtime, on_ours};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;
use testkit::eventually;

/// What a careless runtime makes root of: by cutting it to 32 bits, by taking
/// it for a name, or by passing on the number that means "as it is".
const NOBODY: [&str; 14] = [
    "root",
    "",
    ":",
    "1:",
    ":1",
    "-1",
    "+1",
    "0x1",
    "1000x",
    " 1",
    "4294967295",
    "4294967296",
    "18446744073709551616",
    "0:4294967295",
];

/// CVE-2016-3697, CVE-2024-40635, CVE-2026-46680, CVE-2026-30892.
#[test]
fn a_user_that_is_no_number_never_becomes_root() {
    assert_eq!(4_294_967_296_u64 as u32, 0, "as a careless runtime cuts it");
    on_ours(&["sleep", "60"], |driver| {
        driver.ok(&["run", "--detach"]);
        for user in NOBODY {
            let user = format!("--user={user}");
            let answer = driver.call(&["exec", &user, driver.id(), "id"]);
            assert_eq!(answer.status.code(), Some(255), "{user} {answer:?}");
            assert!(answer.stderr.starts_with("imageless: --user: "));
        }
        driver.ok(&["delete", "--force"]);
    });
}

/// CVE-2024-40635: setresuid(2) takes 4294967295 for "unchanged", so that the
/// process would stay root.
#[test]
fn the_number_that_means_unchanged_is_refused() {
    on_each_runtime(&["id", "-u"], |driver| {
        for field in ["uid", "gid"] {
            let mut user = json!({"uid": 5, "gid": 5});
            user[field] = json!(u32::MAX);
            driver.set("/process/user", user);
            let answer = driver.verb(&["run"]);
            let name = &driver.runtime.name;
            assert!(!answer.status.success(), "{name}: {answer:?}");
            let named = format!("config.json: process.user.{field}: ");
            assert!(name == "runc" || answer.stderr.contains(&named));
        }
    });
    on_ours(&["sleep", "60"], |driver| {
        driver.ok(&["run", "--detach"]);
        let file = driver.scratch.path().join("process.json");
        let process = json!({"user": {"uid": u32::MAX, "gid": 0},
            "args": ["id"], "cwd": "/", "env": ["PATH=/bin"]});
        fs::write(&file, process.to_string()).expect(OURS);
        let file = file.to_str().unwrap();
        let groups = ["exec", "-g", "4294967295", driver.id(), "id"];
        for args in [&["exec", "--process", file, driver.id()][..], &groups] {
            let answer = driver.call(args);
            assert_eq!(answer.status.code(), Some(255), "{answer:?}");
            assert!(answer.stderr.contains("process.user."), "{answer:?}");
        }
        driver.ok(&["delete", "--force"]);
    });
}

/// CVE-2016-3697: an image whose /etc/passwd has a user *named* 5 with the
/// number 0.
#[test]
fn a_number_is_never_looked_up_as_a_name() {
    on_each_runtime(&["sleep", "60"], |driver| {
        let passwd = driver.bundle.rootfs().join("etc/passwd");
        fs::write(passwd, "5:x:0:0:::/bin/sh\n").expect(OURS);
        driver.set("/process/user", json!({"uid": 5, "gid": 5}));
        driver.ok(&["run", "--detach"]);
        for options in [&[][..], &["--user=5:5"]] {
            let args = [&["exec"], options, &[driver.id(), "id", "-u"]];
            assert_eq!(driver.call(&args.concat()).stdout, "5\n");
        }
        driver.ok(&["delete", "--force"]);
    });
}

/// CVE-2025-4437: the image's /etc/passwd, which we read for HOME, is a FIFO
/// that nobody writes to, or has no end.
#[test]
fn a_passwd_without_an_end_keeps_nobody_waiting() {
    for endless in [false, true] {
        on_ours(&["true"], |driver| {
            let passwd = driver.bundle.rootfs().join("etc/passwd");
            fs::remove_file(&passwd).expect(OURS);
            match endless {
                true => symlink("/dev/zero", &passwd).expect(OURS),
                false => mkfifo(&passwd, Mode::S_IRWXU).expect(OURS),
            }
            let mut run = driver.spawn(&["run", driver.id()]);
            eventually(LIMIT, "the container has run", || {
                run.try_wait().expect("it is ours")
            });
        });
    }
}
