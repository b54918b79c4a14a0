//! Mounts from config.json: what a container finds at each, and what stays as
//! it was on the host.

use super::driver::{Driver, OURS, on_each_runtime, on_ours};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;

const PROC: &str = r#"{"destination":"/proc","type":"proc","source":"proc"}"#;

/// Sets the mounts: /proc, and these.
pub(crate) fn set_mounts(driver: &Driver, mounts: &[Value]) {
    let proc: Value = serde_json::from_str(PROC).expect("it is JSON");
    let mounts: Vec<_> = [&proc].into_iter().chain(mounts).collect();
    driver.set("/mounts", json!(mounts));
}

fn source(driver: &Driver) -> PathBuf {
    let source = driver.scratch.path().join("source");
    fs::create_dir_all(&source).expect(OURS);
    source
}

/// Runs the container in a mount namespace where /source is a tmpfs with
/// another one below it, both mounted with `options`; what it prints.
fn output_with_two_mounts(driver: &Driver, options: &str) -> String {
    let script = format!(
        "set -e; tmpfs() {{ mount -t tmpfs -o {options} none $1; }}; \
         tmpfs $3; mount -o remount,rw $3; mkdir $3/below; tmpfs $3/below; \
         mount -o remount,bind,{options} $3; \
         exec $0 --root $1 run --bundle $2 $4 </dev/null"
    );
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-c", &script]);
    unshare.arg(&driver.runtime.program).arg(driver.scratch.state_root());
    unshare.arg(driver.bundle.path()).arg(source(driver)).arg(driver.id());
    let output = unshare.output().expect("util-linux is everywhere");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", driver.runtime.name);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn bind(driver: &Driver, options: &[&str]) -> Value {
    json!({"destination": "/mnt", "source": source(driver), "options": options})
}

fn tmpfs(options: &[&str]) -> Value {
    json!({"destination": "/mnt", "type": "tmpfs", "source": "tmpfs",
        "options": options})
}

/// The options of /mnt and of what is mounted below it, in the container.
const OPTIONS: &[&str] =
    &["awk", "$5 ~ \"^/mnt\" { print $5, $6 }", "/proc/self/mountinfo"];

#[test]
fn a_word_with_an_r_before_it_holds_below_and_without_it_does_not() {
    on_each_runtime(OPTIONS, |driver| {
        for (word, plain, below) in [
            ("ro", "ro,relatime", "rw,relatime"),
            ("rro", "ro,relatime", "ro,relatime"),
            ("rnosuid", "rw,nosuid,relatime", "rw,nosuid,relatime"),
            ("rnodev", "rw,nodev,relatime", "rw,nodev,relatime"),
            ("rnoexec", "rw,noexec,relatime", "rw,noexec,relatime"),
            ("rnoatime", "rw,noatime", "rw,noatime"),
            ("rstrictatime", "rw", "rw"),
            ("rnodiratime", "rw,nodiratime,relatime", "rw,nodiratime,relatime"),
            (
                "rnosymfollow",
                "rw,relatime,nosymfollow",
                "rw,relatime,nosymfollow",
            ),
        ] {
            set_mounts(driver, &[bind(driver, &["rbind", word])]);
            let seen = output_with_two_mounts(driver, "rw");
            let expected = format!("/mnt {plain}\n/mnt/below {below}\n");
            assert_eq!(seen, expected, "{}: {word}", driver.runtime.name);
        }
    });
}

#[test]
fn a_word_with_an_r_before_it_takes_away_below_too() {
    let seen = "/mnt rw,relatime\n/mnt/below rw,relatime\n";
    let rbind = |driver: &Driver, words: &[&str]| {
        bind(driver, &[&["rbind"], words].concat())
    };
    on_each_runtime(OPTIONS, |driver| {
        let taken = ["rrw", "rsuid", "rdev", "rexec", "rdiratime"];
        set_mounts(driver, &[rbind(driver, &taken)]);
        let options = "ro,nosuid,nodev,noexec,nodiratime";
        let found = output_with_two_mounts(driver, options);
        assert_eq!(found, seen, "{}", driver.runtime.name);
    });
    // Of this one Debian's runc 1.1 makes a call that the kernel refuses.
    on_ours(OPTIONS, |driver| {
        set_mounts(driver, &[rbind(driver, &["ratime"])]);
        assert_eq!(output_with_two_mounts(driver, "noatime"), seen);
    });
}

#[test]
fn a_bind_mount_keeps_what_no_word_takes_away() {
    // Debian's runc 1.1 drops nosuid here, newer ones do as ours.
    on_ours(OPTIONS, |driver| {
        for (words, seen) in [
            (&["bind", "ro"][..], "/mnt ro,nosuid,nodev,relatime\n"),
            (&["bind", "suid"], "/mnt rw,nodev,relatime\n"),
            (&["bind"], "/mnt rw,nosuid,nodev,relatime\n"),
        ] {
            set_mounts(driver, &[bind(driver, words)]);
            let found = output_with_two_mounts(driver, "nosuid,nodev");
            assert_eq!(found, seen, "{words:?}");
        }
    });
}

#[test]
fn bind_shows_one_mount_and_rbind_what_is_mounted_below() {
    on_each_runtime(OPTIONS, |driver| {
        for (words, count) in
            [(["bind", "rslave"], 1), (["bind", "ro"], 1), (["rbind", "ro"], 2)]
        {
            set_mounts(driver, &[bind(driver, &words)]);
            let seen = output_with_two_mounts(driver, "rw");
            let name = &driver.runtime.name;
            assert_eq!(seen.lines().count(), count, "{name} {words:?}: {seen}");
        }
    });
}

#[test]
fn a_file_and_a_socket_are_bound_on_files() {
    on_each_runtime(&[], |driver| {
        let source = source(driver);
        fs::write(source.join("file"), "text\n").expect(OURS);
        let socket = source.join("socket");
        let _listener = UnixListener::bind(&socket).expect(OURS);
        let mount = |target: &str, name: &str| json!({"destination": target, "source": source.join(name), "options": ["bind"]});
        let passwd = mount("/etc/passwd", "file");
        set_mounts(driver, &[mount("/run/a/socket", "socket"), passwd]);
        driver.set_script(
            "test -S /run/a/socket && echo socket; cat /etc/passwd",
        );
        assert_eq!(
            driver.output(),
            "socket\ntext\n",
            "{}",
            driver.runtime.name
        );
    });
}

#[test]
fn a_relative_destination_counts_from_the_root() {
    on_each_runtime(&["ls", "/mnt/at"], |driver| {
        fs::write(source(driver).join("file"), "").expect(OURS);
        let mut mount = bind(driver, &["bind"]);
        mount["destination"] = json!("mnt/at");
        set_mounts(driver, &[mount]);
        assert_eq!(driver.output(), "file\n", "{}", driver.runtime.name);
    });
}

#[test]
fn of_two_mounts_at_one_place_the_later_is_seen() {
    on_each_runtime(&[], |driver| {
        set_mounts(driver, &[tmpfs(&["size=64k"]), tmpfs(&["size=128k"])]);
        driver.set_script(
            "awk '$5 == \"/mnt\"' /proc/self/mountinfo | wc -l; \
             df -k /mnt | awk 'NR == 2 { print $2 }'",
        );
        assert_eq!(driver.output(), "2\n128\n", "{}", driver.runtime.name);
    });
}

#[test]
fn a_tmpfs_has_the_mode_of_the_directory_unless_a_word_says_another() {
    let output = |driver: &Driver, options: &[&str]| {
        let mnt = driver.bundle.rootfs().join("mnt");
        fs::create_dir_all(&mnt).expect(OURS);
        fs::set_permissions(mnt, Permissions::from_mode(0o710)).expect(OURS);
        set_mounts(driver, &[tmpfs(options)]);
        driver.output()
    };
    let mode = ["stat", "-c", "%a", "/mnt"];
    on_each_runtime(&mode, |driver| {
        let found = output(driver, &["nodev"]);
        assert_eq!(found, "710\n", "{}", driver.runtime.name);
    });
    // Debian's runc 1.1 does not heed the word.
    on_ours(&mode, |driver| {
        assert_eq!(output(driver, &["mode=700"]), "700\n");
    });
}

#[test]
fn what_the_root_has_is_copied_into_a_tmpfs_and_no_link_is_followed() {
    on_each_runtime(&[], |driver| {
        let data = driver.bundle.rootfs().join("data");
        fs::create_dir_all(data.join("a/b")).expect(OURS);
        fs::write(data.join("a/b/file"), "text\n").expect(OURS);
        let mode = |path: &str, mode| {
            let mode = Permissions::from_mode(mode);
            fs::set_permissions(data.join(path), mode).expect(OURS);
        };
        mode("a/b/file", 0o4711);
        mode("a", 0o700);
        symlink("/etc/shadow", data.join("out")).expect(OURS);
        let options = ["rprivate", "nosuid", "tmpcopyup", "size=64k"];
        set_mounts(
            driver,
            &[
                json!({"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": options}),
            ],
        );
        driver.set_script(
            "cd /data; cat a/b/file; stat -c '%n %a %F' a a/b/file; \
             readlink out; touch new; stat -f -c %T .; \
             awk '$5 == \"/data\" { print $6 }' /proc/self/mountinfo",
        );
        let expected = "text\na 700 directory\n\
            a/b/file 4711 regular file\n\
            /etc/shadow\ntmpfs\nrw,nosuid,relatime\n";
        assert_eq!(driver.output(), expected, "{}", driver.runtime.name);
        assert!(!data.join("new").exists());
    });
}

#[test]
fn what_is_no_file_is_copied_unopened() {
    // Debian's runc 1.1 gives up at it.
    on_ours(&["stat", "-c", "%a %F", "/mnt/fifo"], |driver| {
        let mnt = driver.bundle.rootfs().join("mnt");
        fs::create_dir_all(&mnt).expect(OURS);
        let mut mkfifo = Command::new("mkfifo");
        mkfifo.args(["-m", "620"]).arg(mnt.join("fifo"));
        let made = mkfifo.status().expect("coreutils are everywhere");
        assert!(made.success());
        set_mounts(driver, &[tmpfs(&["tmpcopyup"])]);
        assert_eq!(driver.output(), "620 fifo\n");
    });
}

#[test]
fn a_mount_that_is_there_is_changed_by_remount() {
    on_each_runtime(OPTIONS, |driver| {
        let again = tmpfs(&["remount", "nodev", "ro"]);
        set_mounts(driver, &[tmpfs(&["nodev"]), again]);
        let seen = driver.output();
        assert_eq!(seen, "/mnt ro,nodev,relatime\n", "{}", driver.runtime.name);
    });
}

#[test]
fn a_remount_changes_the_file_system_too() {
    let size = "df -k /mnt | awk 'NR == 2 { print $2 }'";
    on_each_runtime(&["sh", "-c", size], |driver| {
        let again = tmpfs(&["remount", "size=128k"]);
        set_mounts(driver, &[tmpfs(&["size=64k"]), again]);
        assert_eq!(driver.output(), "128\n", "{}", driver.runtime.name);
    });
}

#[test]
fn the_directory_of_the_cgroups_is_read_only_as_configured() {
    let touch = "touch /sys/fs/cgroup/x 2>/dev/null || echo refused";
    on_each_runtime(&["sh", "-c", touch], |driver| {
        assert_eq!(driver.output(), "refused\n", "{}", driver.runtime.name);
    });
}

#[test]
fn a_remount_with_bind_changes_one_mount_and_keeps_the_rest() {
    on_ours(OPTIONS, |driver| {
        let words = ["remount", "bind", "ro"];
        let again = json!({"destination": "/mnt", "options": words});
        set_mounts(driver, &[tmpfs(&["nodev"]), again]);
        assert_eq!(driver.output(), "/mnt ro,nodev,relatime\n");
    });
}

#[test]
fn features_says_which_words_are_known() {
    on_ours(&["true"], |driver| {
        let answer = driver.call(&["features"]);
        let features: Value = serde_json::from_str(&answer.stdout).expect(OURS);
        let words = features["mountOptions"].as_array().expect("a list");
        for word in ["rro", "tmpcopyup", "ridmap", "rnosymfollow", "remount"] {
            assert!(words.contains(&json!(word)), "{word}");
        }
        let idmap = &features["linux"]["mountExtensions"]["idmap"]["enabled"];
        assert_eq!(idmap, &json!(true));
    });
}
