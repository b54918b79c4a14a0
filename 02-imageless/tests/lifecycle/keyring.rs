//! The session keyring, which no namespace divides.

use super::driver::{Driver, on_each_runtime};
use serde_json::json;

/// The kernel's list has what the reader may see: here, what it possesses.
const OWN: &str = "grep -c \" _ses.$ID: \" /proc/keys";
const SERIAL: &str = "grep \" _ses.$ID: \" /proc/keys | cut -d' ' -f1";

fn prepare(driver: &Driver, script: &str) {
    let id = format!("ID={}", driver.id());
    driver.set("/process/env", json!(["PATH=/bin", id]));
    driver.set("/linux/maskedPaths", json!([]));
    driver.set_script(script);
}

#[test]
fn a_container_has_a_session_keyring_of_its_own_unless_told_not_to() {
    on_each_runtime(&[], |driver| {
        let name = &driver.runtime.name;
        prepare(driver, &format!("{OWN} || true"));
        // In this order: the kernel takes its time to forget one.
        let kept = driver.ok(&["run", "--no-new-keyring"]);
        assert_eq!(kept.stdout, "0\n", "{name}");
        assert_eq!(driver.output(), "1\n", "{name}");
    });
}

#[test]
fn exec_gets_the_containers_keyring_and_a_user_keeps_it() {
    on_each_runtime(&[], |driver| {
        prepare(driver, &format!("{SERIAL}; sleep 60"));
        driver.set("/process/user", json!({"uid": 1000, "gid": 1000}));
        driver.ok(&["run", "--detach"]);
        let answer = driver.call(&["exec", driver.id(), "sh", "-c", SERIAL]);
        assert_eq!(answer.stdout.len(), 9, "{answer:?}");
        // The container's own output was the first in that file.
        let init = driver.call(&["exec", driver.id(), "sh", "-c", SERIAL]);
        assert_eq!(init.stdout, answer.stdout, "{}", driver.runtime.name);
        driver.ok(&["delete", "--force"]);
    });
}
