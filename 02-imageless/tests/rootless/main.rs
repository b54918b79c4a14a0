//! The runtime as an ordinary user calls it: on runc first, then on ours.

mod delegated;
mod user;

use std::time::Duration;
use testkit::eventually;
use testkit::spec::{LinuxIdMappingBuilder, Spec};
use user::on_each_runtime;

#[test]
fn an_ordinary_user_is_root_in_the_container() {
    on_each_runtime(|user| {
        let script = "id -u; cat /proc/self/uid_map; exit 7";
        let (code, output) = user.run(script);
        let words: Vec<_> = output.split_whitespace().collect();
        assert_eq!((code, &words[..]), (Some(7), &["0", "0", "4242", "1"][..]));
    });
}

#[test]
fn subordinate_ids_are_mapped_beside_the_users_own() {
    on_each_runtime(|user| {
        user.edit(map_subordinate_ids);
        let script = "awk '{ print $2 }' /proc/self/uid_map /proc/self/gid_map";
        let (code, output) = user.run(script);
        assert_eq!(code, Some(0), "{output}");
        assert_eq!(output, "4242\n200000\n4242\n210000\n");
    });
}

#[test]
fn exec_joins_a_container_of_an_ordinary_user() {
    on_each_runtime(|user| {
        user.start("sleep 60");
        let (code, output) = user.verb("exec", &["sh", "-c", "id -u; exit 5"]);
        assert_eq!((code, output.as_str()), (Some(5), "0\n"));
        let (code, output) = user.verb("exec", &["cat", "/proc/1/cmdline"]);
        assert_eq!((code, output.contains("sleep")), (Some(0), true));
    });
}

/// CVE-2023-25809: the host's cgroups, writable, are a way to change limits.
#[test]
fn the_cgroups_of_the_host_cannot_be_written() {
    on_each_runtime(|user| {
        let script = "for dir in /sys/fs/cgroup/*; do \
                          mkdir $dir/x 2>/dev/null && echo $dir; done; true";
        assert_eq!(user.run(script), (Some(0), String::new()));
    });
}

#[test]
fn limits_without_a_cgroup_are_refused_by_their_field() {
    on_each_runtime(|user| {
        user.edit(limit_processes);
        let (code, said) = user.run("true");
        assert_eq!(code, Some(1), "{said}");
        if user.is_ours() {
            let start = "imageless: config.json: linux.resources: ";
            assert!(said.starts_with(start), "{said}");
            assert!(said.contains("\nhint: "), "{said}");
        }
    });
}

/// runc can not: it looks into cgroups only.
#[test]
fn ps_and_kill_all_know_who_is_in_a_container_without_a_cgroup() {
    on_each_runtime(|user| {
        if !user.is_ours() {
            return;
        }
        user.start("sleep 60 & sleep 60");
        eventually(Duration::from_secs(10), "all three run", || {
            let (_, said) = user.verb_with("ps", &["--format", "json"], &[]);
            let pids: Vec<i32> = serde_json::from_str(&said).expect(&said);
            (pids.len() == 3).then_some(())
        });
        let (code, said) = user.verb_with("kill", &["--all"], &["KILL"]);
        assert_eq!(code, Some(0), "{said}");
        user.wait_until_stopped();
    });
}

/// Maps 1 to 10 to ids that are subordinate to the user.
fn map_subordinate_ids(spec: &mut Spec) {
    let linux = spec.linux_mut().as_mut().expect("it has one");
    let range = |host: u32| {
        let map = LinuxIdMappingBuilder::default();
        let map = map.container_id(1_u32).host_id(host).size(10_u32);
        map.build().expect("all fields are set")
    };
    let mut users = linux.uid_mappings().clone().unwrap_or_default();
    let mut groups = linux.gid_mappings().clone().unwrap_or_default();
    users.push(range(200_000));
    groups.push(range(210_000));
    linux.set_uid_mappings(Some(users));
    linux.set_gid_mappings(Some(groups));
}

/// Gives the container at most five processes.
fn limit_processes(spec: &mut Spec) {
    let linux = spec.linux_mut().as_mut().expect("it has one");
    let json = r#"{"pids":{"limit":5}}"#;
    linux.set_resources(serde_json::from_str(json).expect("it is valid"));
}

#[test]
fn a_container_is_killed_and_deleted() {
    on_each_runtime(|user| {
        user.start("sleep 60");
        assert_eq!(user.verb("kill", &["KILL"]).0, Some(0));
        user.wait_until_stopped();
        assert_eq!(user.verb("delete", &[]).0, Some(0));
        assert_ne!(user.verb("state", &[]).0, Some(0));
    });
}

#[test]
fn a_program_is_executed_before_the_container_is_started() {
    on_each_runtime(|user| {
        user.create("sleep 60");
        let (code, output) = user.verb("exec", &["sh", "-c", "id -u; exit 5"]);
        assert_eq!((code, output.as_str()), (Some(5), "0\n"));
    });
}

/// runc 1.1 can not: its init is closed by the change of the user.
#[test]
fn so_it_is_where_another_user_waits_than_the_one_that_made_the_container() {
    on_each_runtime(|user| {
        if !user.is_ours() {
            return;
        }
        user.edit(|spec| {
            map_subordinate_ids(spec);
            let process = spec.process_mut().as_mut().expect("it has one");
            process.user_mut().set_uid(1);
        });
        user.create("sleep 60");
        let (code, output) = user.verb("exec", &["id", "-u"]);
        assert_eq!((code, output.as_str()), (Some(0), "1\n"));
    });
}
