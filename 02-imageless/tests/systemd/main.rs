//! `--systemd-cgroup`, with a systemd that runs: on runc first and then on
//! ours. What is asked of systemd is looked up at systemd, and in the kernel.

mod machine;

use machine::{Machine, on_each_runtime, on_ours};
use testkit::spec::{
    LinuxCpuBuilder, LinuxDeviceCgroupBuilder, LinuxMemoryBuilder,
    LinuxPidsBuilder, LinuxResourcesBuilder,
};

const UNIT: &str = "test-one.scope";
const PATH: &str = "a.slice/a-b.slice/test-one.scope";

/// Puts the container into a scope of a slice in a slice, with limits.
fn in_a_scope(machine: &Machine) {
    const WHY: &str = "every field has a default";
    let cpu = LinuxCpuBuilder::default().quota(50_000i64).period(100_000u64);
    let cpu = cpu.shares(512u64).build().expect(WHY);
    let memory = LinuxMemoryBuilder::default().limit(67_108_864i64);
    let pids = LinuxPidsBuilder::default().limit(33i64).build();
    machine.bundle.edit(|spec| {
        let linux = spec.linux_mut().as_mut().expect("there is one");
        linux.set_cgroups_path(Some("a-b.slice:test:one".into()));
        let deny = LinuxDeviceCgroupBuilder::default().allow(false);
        let deny = deny.access("rwm").build().expect(WHY);
        let resources = LinuxResourcesBuilder::default()
            .devices(vec![deny])
            .cpu(cpu)
            .memory(memory.build().expect(WHY))
            .pids(pids.expect(WHY))
            .build();
        linux.set_resources(Some(resources.expect(WHY)));
    });
}

#[test]
fn the_container_is_in_a_scope_that_systemd_has_made() {
    on_each_runtime(|machine| {
        in_a_scope(machine);
        machine.run("one");
        assert_eq!(machine.property(UNIT, "ActiveState"), "active");
        assert_eq!(machine.property(UNIT, "Slice"), "a-b.slice");
        assert_eq!(machine.property(UNIT, "Delegate"), "yes");
        for tree in ["systemd", "unified", "memory", "freezer", "cpuset"] {
            let procs = machine.kernel(&format!("{tree}/{PATH}/cgroup.procs"));
            assert_ne!(procs, "", "{tree}");
        }
        machine.ok(&["delete", "--force", "one"]);
    });
}

#[test]
fn limits_are_systemds_and_the_kernels_and_stay_when_it_is_reloaded() {
    on_each_runtime(|machine| {
        in_a_scope(machine);
        machine.run("one");
        let all = || {
            for (property, value, file, kernel) in [
                (
                    "MemoryLimit",
                    "67108864",
                    "memory/memory.limit_in_bytes",
                    "67108864",
                ),
                ("TasksMax", "33", "pids/pids.max", "33"),
                ("CPUShares", "512", "cpu/cpu.shares", "512"),
                (
                    "CPUQuotaPerSecUSec",
                    "500ms",
                    "cpu/cpu.cfs_quota_us",
                    "50000",
                ),
            ] {
                assert_eq!(machine.property(UNIT, property), value);
                let (tree, file) = file.split_once('/').expect("a slash");
                let file = format!("{tree}/{PATH}/{file}");
                assert_eq!(machine.kernel(&file), kernel, "{property}");
            }
        };
        all();
        machine.inside(&["systemctl", "daemon-reload"]);
        all();
        machine.ok(&["delete", "--force", "one"]);
    });
}

#[test]
fn rules_for_devices_stay_when_systemd_is_reloaded() {
    // runc's container is not in a devices cgroup of its own after `create`.
    on_ours(|machine| {
        in_a_scope(machine);
        machine.run("one");
        assert_eq!(machine.property(UNIT, "DevicePolicy"), "strict");
        let rules = || {
            let rules = machine.kernel(&format!("devices/{PATH}/devices.list"));
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
        assert_eq!(machine.property(UNIT, "TasksMax"), "44");
        assert_eq!(machine.kernel(&format!("pids/{PATH}/pids.max")), "44");
        machine.ok(&["delete", "--force", "one"]);
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
        machine.bundle.edit(|spec| {
            let linux = spec.linux_mut().as_mut().expect("there is one");
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
        machine.bundle.edit(|spec| {
            let linux = spec.linux_mut().as_mut().expect("there is one");
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
