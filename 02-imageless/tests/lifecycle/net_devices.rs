//! Network devices of the host that become the container's. Each test has a
//! network namespace that plays the host, with a veth pair in it.

use super::driver::{Driver, on_each_runtime, on_ours};
use serde_json::{Value, json};
use std::process::Command;

/// The device, with two addresses for the outside and one for the machine.
const HOST: &str = "set -e; ip link set lo up; \
    ip link add left type veth peer name right; ip link set right up; \
    ip addr add 10.9.8.7/24 dev left; \
    ip addr add fd09::7/64 dev left nodad; \
    ip addr add 10.9.8.9/32 scope host dev left; ip link set left up";

/// Runs a script on the played host, where `run` runs the container. Exit code
/// and all that is said.
fn on_a_host(driver: &Driver, script: &str) -> (Option<i32>, String) {
    let program = driver.runtime.program.display();
    let (root, id) = (driver.scratch.state_root(), driver.id());
    let run = format!(
        "{program} --root {} run --bundle {} {id} </dev/null",
        root.display(),
        driver.bundle.path().display()
    );
    let script =
        format!("{{ {HOST}; run() {{ sh -c \"$RUN\"; }}; {script}; }} 2>&1");
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "sh", "-c", &script]).env("RUN", run);
    let output = unshare.output().expect("util-linux is everywhere");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), said)
}

fn set_devices(driver: &Driver, devices: &Value) {
    driver.set("/linux/netDevices", devices.clone());
}

/// Whether it is up, and its addresses for the outside.
const SHOW: &str = "show() { ip addr show $1 | grep -o 'UP,LOWER_UP\\|inet6* [0-9a-f:.]*/[0-9]* .*scope global' | sed 's/ brd .*//; s/ scope.*//' | sort -u; }";

fn shown_in_the_container(
    driver: &Driver,
    name: &str,
) -> (Option<i32>, String) {
    driver.set_script(&format!("{SHOW}; show {name}"));
    on_a_host(driver, "run; ip link show left 2>&1 | grep -c 'UP'")
}

#[test]
fn a_device_comes_with_its_addresses_set_up_and_leaves_the_host() {
    // runc has it since 1.4.
    on_ours(&[], |driver| {
        let seen = "UP,LOWER_UP\ninet 10.9.8.7/24\ninet6 fd09::7/64\n0\n";
        for (devices, name) in [
            (json!({"left": {}}), "left"),
            (json!({"left": {"name": "eth7"}}), "eth7"),
            (json!({"left": {"name": "eth%d"}}), "eth0"),
        ] {
            set_devices(driver, &devices);
            let (_, said) = shown_in_the_container(driver, name);
            assert_eq!(said, seen, "{devices}");
        }
    });
}

#[test]
fn a_device_whose_number_is_taken_inside_has_another() {
    on_ours(&[], |driver| {
        let joined = json!([{"type": "mount"}, {"type": "pid"},
            {"type": "network", "path": "/proc/self/fd/9"}]);
        driver.set("/linux/namespaces", joined);
        driver.set("/hostname", json!(""));
        set_devices(driver, &json!({"left": {"name": "eth%d"}}));
        driver.set_script(&format!(
            "{SHOW}; show eth1; ip link show eth0 | grep -c eth0"
        ));
        // As many devices are made in the other namespace as there are here.
        let script = "exec 8</proc/self/ns/net; \
            unshare --net sh -c 'for n in 0 5 6 7; do \
            ip link add eth$n type veth peer name peer$n; done; \
            exec 9</proc/self/ns/net; \
            exec nsenter --net=/proc/self/fd/8 sh -c \"$0\"' \"$RUN\"";
        let (code, said) = on_a_host(driver, script);
        let seen = "UP,LOWER_UP\ninet 10.9.8.7/24\ninet6 fd09::7/64\n1\n";
        assert_eq!((code, &*said), (Some(0), seen));
    });
}

#[test]
fn when_the_container_comes_to_nothing_the_host_has_its_device_again() {
    on_ours(&["no-such-program"], |driver| {
        set_devices(driver, &json!({"left": {"name": "eth0"}}));
        let script = format!("run || true; {SHOW}; show left");
        let (_, said) = on_a_host(driver, &script);
        assert!(said.contains("no-such-program"), "{said}");
        let seen = "UP,LOWER_UP\ninet 10.9.8.7/24\ninet6 fd09::7/64\n";
        assert!(said.ends_with(seen), "{said}");
    });
}

#[test]
fn a_device_that_cannot_be_moved_is_named() {
    on_ours(&["true"], |driver| {
        for (devices, error) in [
            (json!({"nix": {}}), "[\"nix\"]: RTM_GETLINK(\"nix\") = ENODEV"),
            (
                json!({"left": {"name": "lo"}}),
                "[\"left\"]: name: \"lo\" is there already",
            ),
            (
                json!({"left": {"name": "a/b"}}),
                "[\"left\"].name: \"a/b\": no device",
            ),
            (
                json!({"lo": {"name": "lo2"}}),
                "[\"lo\"]: RTM_NEWLINK(\"lo2\", IFLA_NET_NS_FD) = EINVAL",
            ),
        ] {
            set_devices(driver, &devices);
            let (code, said) = on_a_host(driver, "run");
            let start =
                format!("imageless: config.json: linux.netDevices{error}");
            assert_eq!(code, Some(1));
            assert!(said.starts_with(&start), "{said}");
        }
    });
}

#[test]
fn a_container_with_a_network_of_its_own_can_talk_to_itself() {
    on_each_runtime(&["ip", "addr", "show", "lo"], |driver| {
        let seen = driver.output();
        let name = &driver.runtime.name;
        assert!(
            seen.contains("UP") && seen.contains("127.0.0.1/8"),
            "{name}: {seen}"
        );
    });
}
