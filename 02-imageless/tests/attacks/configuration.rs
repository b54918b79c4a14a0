//! Texts of the configuration that are more than they seem: so long that a
//! length is cut, or with a second setting inside.

use crate::driver::{LIMIT, OURS, on_each_runtime, on_ours};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::json;
use testkit::eventually;

/// CVE-2021-43784: runc passed the configuration on in messages whose length
/// has 16 bits; what was longer was read as the next attributes, such as a
/// namespace to join.
#[test]
fn a_text_of_more_than_16_bits_is_only_a_text() {
    on_each_runtime(&[], |driver| {
        // As netlink would read it after the cut: a length, and a type.
        let text = "\u{1}\u{8}\u{6c}x".repeat(25_000);
        driver.set("/process/env", json!(["PATH=/bin", format!("A={text}")]));
        driver.set("/annotations", json!({"a": text.repeat(10)}));
        driver.set_script("echo ${#A}; readlink /proc/self/ns/net");
        let output = driver.output();
        let (length, network) = output.split_once('\n').unwrap();
        assert_eq!(length, "100000");
        let host = std::fs::read_link("/proc/self/ns/net").unwrap();
        assert_ne!(network.trim(), host.to_str().unwrap());
    });
}

/// Not a way in, but one to stay: open(2) of a FIFO waits for a writer.
#[test]
fn a_namespace_that_is_a_fifo_keeps_nobody_waiting() {
    on_ours(&["true"], |driver| {
        let fifo = driver.scratch.path().join("fifo");
        mkfifo(&fifo, Mode::S_IRWXU).expect(OURS);
        let shared = json!({"type": "uts", "path": fifo});
        driver.set("/linux/namespaces", json!([{"type": "mount"}, shared]));
        let mut create = driver.spawn(&["create", driver.id()]);
        let status = eventually(LIMIT, "it is refused", || {
            create.try_wait().expect("it is ours")
        });
        let said = driver.read("stderr");
        assert_eq!(status.code(), Some(1), "{said}");
        let named = "imageless: config.json: linux.namespaces[1].path: ";
        assert!(said.starts_with(named), "{said}");
    });
}

/// CVE-2022-0811: what joins settings by `+` or spaces sees two of them here,
/// and the second is the host's.
#[test]
fn a_sysctl_with_another_inside_is_refused() {
    let before = std::fs::read("/proc/sys/kernel/core_pattern").unwrap();
    on_ours(&["true"], |driver| {
        for name in [
            "kernel.shm_rmid_forced+kernel.core_pattern",
            "kernel.shm_rmid_forced kernel.core_pattern",
            "kernel.shm_rmid_forced=1\nkernel.core_pattern",
            "net.ipv4/../../kernel.core_pattern",
            "net/../kernel/core_pattern",
            "kernel.core_pattern",
        ] {
            driver.set("/linux/sysctl", json!({name: "1"}));
            let answer = driver.fails(&["create"]);
            let named = "imageless: config.json: linux.sysctl[";
            assert!(answer.stderr.starts_with(named), "{answer:?}");
        }
    });
    let after = std::fs::read("/proc/sys/kernel/core_pattern").unwrap();
    assert_eq!(before, after);
}
