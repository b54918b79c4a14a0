//! Who sees a mount that is made after the container was: by the words on
//! propagation, on the host, in the container, both or neither.

use super::driver::{Driver, OURS, on_each_runtime, on_ours};
use super::mounts::set_mounts;
use serde_json::{Value, json};
use std::process::Command;

/// In a mount namespace of its own: a shared directory, a container that has it
/// as /mnt, then a mount on each side; prints what the other side sees.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs none "$3" && mount --make-shared "$3"
mkdir "$3/host" "$3/box"
"$0" --root "$1" create --bundle "$2" "$4" </dev/null >/dev/null
trap '"$0" --root "$1" delete --force "$4"' EXIT
"$0" --root "$1" start "$4"
mount -t tmpfs none "$3/host" && touch "$3/host/seen"
"$0" --root "$1" exec "$4" sh -c \
    'echo box: $(ls /mnt/host); mount -t tmpfs none /mnt/box; touch /mnt/box/seen'
echo host: $(ls "$3/box")
"#;

fn who_sees(driver: &Driver, word: &str, root: &str) -> String {
    who_sees_of(driver, &[mount(driver, "/mnt", &["rbind", word])], root)
}

fn mount(driver: &Driver, destination: &str, options: &[&str]) -> Value {
    let source = driver.scratch.path().join("source");
    std::fs::create_dir_all(&source).expect(OURS);
    json!({"destination": destination, "source": source, "type": "bind",
        "options": options})
}

fn who_sees_of(driver: &Driver, mounts: &[Value], root: &str) -> String {
    set_mounts(driver, mounts);
    driver.set("/linux/rootfsPropagation", json!(root));
    let all = ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"];
    for set in ["bounding", "effective", "permitted"] {
        driver.set(&format!("/process/capabilities/{set}"), json!(all));
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-c", SCRIPT]).arg(&driver.runtime.program);
    unshare.arg(driver.scratch.state_root()).arg(driver.bundle.path());
    let source = driver.scratch.path().join("source");
    let output = unshare.arg(source).arg(driver.id()).output();
    let output = output.expect("util-linux is everywhere");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", driver.runtime.name);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const SLEEP: &[&str] = &["sleep", "60"];

#[test]
fn a_private_mount_shows_neither_side_what_the_other_mounts() {
    on_each_runtime(SLEEP, |driver| {
        assert_eq!(who_sees(driver, "rprivate", ""), "box:\nhost:\n");
    });
}

#[test]
fn a_slave_shows_the_container_what_the_host_mounts() {
    on_each_runtime(SLEEP, |driver| {
        let seen = who_sees(driver, "rslave", "");
        assert_eq!(seen, "box: seen\nhost:\n", "{}", driver.runtime.name);
    });
}

#[test]
fn a_mount_without_a_word_shows_nothing_where_another_follows_the_host() {
    // In runc's containers a mount without a word follows the host.
    on_ours(SLEEP, |driver| {
        let slave = mount(driver, "/var", &["rbind", "rslave"]);
        let silent = mount(driver, "/mnt", &["rbind"]);
        let seen = who_sees_of(driver, &[slave, silent], "");
        assert_eq!(seen, "box:\nhost:\n");
    });
}

#[test]
fn a_shared_mount_shows_each_side_what_the_other_mounts() {
    on_each_runtime(SLEEP, |driver| {
        let seen = who_sees(driver, "rshared", "rshared");
        assert_eq!(seen, "box: seen\nhost: seen\n", "{}", driver.runtime.name);
    });
}

#[test]
fn the_root_is_as_configured() {
    on_ours(&["grep", " / rw", "/proc/self/mountinfo"], |driver| {
        for (word, tag) in [("shared", "shared:"), ("private", " - ")] {
            driver.set("/linux/rootfsPropagation", json!(word));
            let seen = driver.output();
            assert!(seen.contains(tag), "{word}: {seen}");
            assert_eq!(seen.contains("shared:"), word == "shared", "{seen}");
        }
    });
}
