//! `--systemd-cgroup`, with a systemd that runs: on runc first and then on
//! ours. What is asked of systemd is looked up at systemd, and in the kernel.

mod devices;
mod limits;
mod machine;
mod trees;

use limits::Told;
use machine::{Machine, on_each_runtime, on_ours};
use serde_json::json;
use std::fs;
use testkit::{Need, requires};
use trees::Version;

const UNIT: &str = "test-one.scope";
const PATH: &str = "a.slice/a-b.slice/test-one.scope";

/// Puts the container into a scope of a slice in a slice, with limits.
fn in_a_scope(machine: &Machine) {
    machine.edit_linux(|linux| {
        linux.set_cgroups_path(Some("a-b.slice:test:one".into()));
    });
    machine.set_resources(json!({
        "devices": [{"allow": false, "access": "rwm"}],
        // Of the shares between both ends, each runc makes another weight.
        "cpu": {"quota": 50_000, "period": 100_000, "shares": 262_144},
        "memory": {"limit": 67_108_864},
        "pids": {"limit": 33},
    }));
}

/// Asks systemd and the kernel for these limits, now and after a reload.
fn told_and_kept(machine: &Machine, limits: &[Told]) {
    let check =
        || limits.iter().for_each(|told| told.check(machine, UNIT, PATH));
    check();
    machine.inside(&["systemctl", "daemon-reload"]);
    check();
}

#[test]
fn the_container_is_in_a_scope_that_systemd_has_made() {
    on_each_runtime(|machine| {
        in_a_scope(machine);
        machine.run("one");
        assert_eq!(machine.property(UNIT, "ActiveState"), "active");
        assert_eq!(machine.property(UNIT, "Slice"), "a-b.slice");
        assert_eq!(machine.property(UNIT, "Delegate"), "yes");
        let file = format!("{PATH}/cgroup.procs");
        for tree in ["systemd", "unified", "memory", "freezer", "cpuset"] {
            assert_ne!(machine.kernel(tree, &file), "", "{tree}");
        }
        machine.ok(&["delete", "--force", "one"]);
    });
}

#[test]
fn limits_are_systemds_and_the_kernels_and_stay_when_it_is_reloaded() {
    on_each_runtime(|machine| {
        in_a_scope(machine);
        machine.run("one");
        told_and_kept(machine, &Told::here());
        machine.ok(&["delete", "--force", "one"]);
    });
}

#[test]
fn devices_are_refused_also_when_systemd_is_reloaded() {
    // runc's container is not in a devices cgroup of its own after `create`.
    on_ours(|machine| {
        in_a_scope(machine);
        devices::allow_some(machine);
        machine.run("one");
        assert_eq!(machine.property(UNIT, "DevicePolicy"), "strict");
        devices::check(machine, "one");
        machine.inside(&["systemctl", "daemon-reload"]);
        devices::check(machine, "one");
        machine.ok(&["update", "--pids-limit", "44", "one"]);
        devices::check(machine, "one");
        machine.ok(&["delete", "--force", "one"]);
    });
}

#[test]
fn rules_for_devices_stay_when_systemd_is_reloaded() {
    // Nor can v2's rules be read.
    if !requires(&[Need::CgroupV1]) {
        return;
    }
    // runc's container is not in a devices cgroup of its own after `create`.
    on_ours(|machine| {
        in_a_scope(machine);
        machine.run("one");
        assert_eq!(machine.property(UNIT, "DevicePolicy"), "strict");
        let rules = || {
            let file = format!("{PATH}/devices.list");
            let rules = machine.kernel("devices", &file);
            let mut rules: Vec<_> = rules.lines().map(str::to_owned).collect();
            rules.sort();
            rules
        };
        let before = rules();
        assert!(before.contains(&"c 1:3 rwm".to_owned()), "{before:?}");
        machine.inside(&["systemctl", "daemon-reload"]);
        assert_eq!(rules(), before);
        machine.ok(&["delete", "--force", "one"]);
    });
}

#[test]
fn an_update_is_told_to_systemd_too() {
    on_each_runtime(|machine| {
        in_a_scope(machine);
        machine.run("one");
        machine.ok(&["update", "--pids-limit", "44", "one"]);
        told_and_kept(machine, &Told::here_after_the_update());
        machine.ok(&["delete", "--force", "one"]);
    });
}

#[test]
fn of_an_update_that_we_refuse_systemd_hears_nothing() {
    on_ours(|machine| {
        in_a_scope(machine);
        machine.run("one");
        let refused = match Version::here() {
            Version::V1 => json!({"unified": {"memory.high": "4096"}}),
            Version::V2 => json!({"memory": {"swappiness": 10}}),
        };
        let mut resources = json!({"pids": {"limit": 44}});
        let more = refused.as_object().expect("an object").clone();
        resources.as_object_mut().expect("an object").extend(more);
        let file = machine.bundle.path().join("update.json");
        fs::write(&file, resources.to_string()).expect("it is ours");
        let file = file.to_str().expect("text");
        let (succeeded, said) =
            machine.call(&["update", "--resources", file, "one"]);
        assert!(!succeeded, "{said}");
        told_and_kept(machine, &Told::here());
        machine.ok(&["delete", "--force", "one"]);
    });
}

#[test]
fn what_only_v2_has_is_told_and_stays_too() {
    if !requires(&[Need::CgroupV2]) {
        return;
    }
    on_each_runtime(|machine| {
        in_a_scope(machine);
        machine.set_resources(limits::only_v2());
        machine.run("one");
        let all = || {
            for told in limits::ONLY_V2 {
                told.check(machine, UNIT, PATH);
            }
            // systemd does not know this controller.
            let file = format!("{PATH}/hugetlb.2MB.max");
            assert_eq!(machine.kernel("hugetlb", &file), "0");
        };
        all();
        machine.inside(&["systemctl", "daemon-reload"]);
        all();
        machine.ok(&["delete", "--force", "one"]);
    });
}

#[test]
fn what_idles_on_v2_still_idles_when_systemd_is_reloaded() {
    if !requires(&[Need::CgroupV2]) {
        return;
    }
    // runc 1.1 knows no `idle`.
    on_ours(|machine| {
        in_a_scope(machine);
        for resources in [
            json!({"cpu": {"idle": 1, "shares": 512}}),
            json!({"cpu": {"shares": 512}, "unified": {"cpu.idle": "1"}}),
        ] {
            machine.set_resources(resources);
            machine.run("one");
            told_and_kept(machine, &[limits::IDLE]);
            machine.ok(&["delete", "--force", "one"]);
        }
    });
}

#[test]
fn delete_ends_the_scope_and_its_cgroups() {
    on_each_runtime(|machine| {
        in_a_scope(machine);
        machine.run("one");
        machine.ok(&["delete", "--force", "one"]);
        assert_eq!(machine.property(UNIT, "LoadState"), "not-found");
        let find = ["find", "/sys/fs/cgroup", "-name", UNIT];
        assert_eq!(machine.inside(&find).stdout, b"");
    });
}

#[test]
fn without_a_path_the_scope_has_the_containers_id_and_the_systems_slice() {
    on_ours(|machine| {
        machine.edit_linux(|linux| {
            linux.set_cgroups_path(None);
        });
        machine.run("two");
        let unit = "imageless-two.scope";
        assert_eq!(machine.property(unit, "Slice"), "system.slice");
        machine.ok(&["delete", "--force", "two"]);
    });
}

#[test]
fn a_scope_that_is_there_is_refused_and_left_alone() {
    on_ours(|machine| {
        in_a_scope(machine);
        machine.run("one");
        let bundle = machine.bundle.path().to_str().expect("text");
        let (succeeded, said) =
            machine.call(&["run", "--detach", "--bundle", bundle, "other"]);
        assert!(!succeeded);
        assert!(said.contains("linux.cgroupsPath"), "{said}");
        assert_eq!(machine.property(UNIT, "ActiveState"), "active");
        assert!(!machine.call(&["state", "other"]).0);
        machine.ok(&["delete", "--force", "one"]);
    });
}

#[test]
fn a_property_that_systemd_refuses_leaves_no_container() {
    on_ours(|machine| {
        in_a_scope(machine);
        machine.edit_linux(|linux| {
            linux.set_cgroups_path(Some("init.slice:test:one".into()));
        });
        machine.inside(&["systemctl", "mask", "--runtime", "init.slice"]);
        let bundle = machine.bundle.path().to_str().expect("text");
        let (succeeded, said) =
            machine.call(&["run", "--detach", "--bundle", bundle, "one"]);
        assert!(!succeeded);
        assert!(said.contains("systemd: "), "{said}");
        assert!(!machine.call(&["state", "one"]).0);
    });
}

#[test]
fn rules_for_devices_that_systemd_would_forget_are_refused_on_v1() {
    on_ours(|machine| {
        in_a_scope(machine);
        machine.set_resources(json!({"devices": [
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 1, "access": "rw"},
            {"allow": false, "type": "c", "major": 1, "minor": 11, "access": "w"},
        ]}));
        let bundle = machine.bundle.path().to_str().expect("text");
        let (succeeded, said) =
            machine.call(&["run", "--detach", "--bundle", bundle, "one"]);
        assert_eq!(succeeded, Version::here() == Version::V2, "{said}");
        if succeeded {
            machine.ok(&["delete", "--force", "one"]);
        } else {
            assert!(said.contains("linux.resources.devices"), "{said}");
        }
        assert!(!machine.call(&["state", "one"]).0);
    });
}

#[test]
fn without_a_bus_the_container_is_refused_with_the_way_out() {
    on_ours(|machine| {
        in_a_scope(machine);
        let bus = ["dbus.socket", "dbus.service"];
        machine.inside(&[&["systemctl", "stop"], &bus[..]].concat());
        let bundle = machine.bundle.path().to_str().expect("text");
        let (succeeded, said) =
            machine.call(&["run", "--detach", "--bundle", bundle, "one"]);
        assert!(!succeeded);
        assert!(said.contains("--systemd-cgroup: the machine's D-Bus"));
        assert!(said.contains("hint: leave the option out"), "{said}");
        assert!(!machine.call(&["state", "one"]).0);
    });
}
