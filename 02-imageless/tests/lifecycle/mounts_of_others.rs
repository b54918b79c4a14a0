//! Mounts in a user namespace, and mounts with other ids: whose a file is, who
//! may change what the host has set, and what an answer of the kernel means.

use super::driver::{Driver, OURS, on_ours};
use super::mounts::set_mounts;
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::PathBuf;

/// Gives the container a user namespace in which 100000 is root.
fn set_user_namespace(driver: &Driver, others: &[&str]) {
    let map = json!([{"containerID": 0, "hostID": 100_000, "size": 1000}]);
    driver.set("/linux/uidMappings", map.clone());
    driver.set("/linux/gidMappings", map);
    let kinds = ["pid", "mount", "user"].into_iter().chain(others.to_owned());
    let kinds: Vec<_> = kinds.map(|kind| json!({"type": kind})).collect();
    driver.set("/linux/namespaces", json!(kinds));
    driver.set("/hostname", json!(""));
    driver.set("/linux/maskedPaths", json!([]));
    driver.set("/linux/readonlyPaths", json!([]));
    let rootfs = driver.bundle.rootfs();
    chown(&rootfs, Some(100_000), Some(100_000)).expect("we are root");
    let dev = rootfs.join("dev");
    chown(dev, Some(100_000), Some(100_000)).expect("we are root");
    // A temporary directory is closed to others; mapped root is one of them.
    let open = Permissions::from_mode(0o755);
    fs::set_permissions(driver.scratch.path(), open).expect(OURS);
}

/// A directory with a file that is root's and one that is 7's.
fn source(driver: &Driver) -> PathBuf {
    let source = driver.scratch.path().join("source");
    fs::create_dir_all(&source).expect(OURS);
    fs::write(source.join("root"), "").expect(OURS);
    fs::write(source.join("seven"), "").expect(OURS);
    chown(source.join("seven"), Some(7), Some(7)).expect("we are root");
    source
}

fn mapped(driver: &Driver, option: &str, map: Value) -> Value {
    let mut mount = json!({"destination": "/mnt", "source": source(driver),
        "options": ["rbind", option]});
    if !map.is_null() {
        mount["uidMappings"] = map.clone();
        mount["gidMappings"] = map;
    }
    mount
}

const OWNERS: &[&str] = &["stat", "-c", "%u:%g", "/mnt/root", "/mnt/seven"];

#[test]
fn the_files_of_a_mount_appear_as_its_map_says() {
    // Debian's runc 1.1 is older than these fields.
    on_ours(OWNERS, |driver| {
        let map = json!([{"containerID": 0, "hostID": 1000, "size": 10}]);
        for option in ["idmap", "ridmap", "rprivate"] {
            set_mounts(driver, &[mapped(driver, option, map.clone())]);
            assert_eq!(driver.output(), "1000:1000\n1007:1007\n", "{option}");
        }
        set_mounts(driver, &[mapped(driver, "rprivate", Value::Null)]);
        assert_eq!(driver.output(), "0:0\n7:7\n");
    });
}

#[test]
fn without_a_map_of_its_own_a_mount_has_that_of_the_container() {
    on_ours(OWNERS, |driver| {
        set_user_namespace(driver, &["network", "ipc"]);
        set_mounts(driver, &[mapped(driver, "rprivate", Value::Null)]);
        // Nobody: the host's root is not in the container's map.
        assert_eq!(driver.output(), "65534:65534\n65534:65534\n");
        set_mounts(driver, &[mapped(driver, "idmap", Value::Null)]);
        assert_eq!(driver.output(), "0:0\n7:7\n");
    });
}

#[test]
fn a_file_that_is_made_in_a_mapped_mount_is_on_disk_the_owners() {
    on_ours(&["touch", "/mnt/new"], |driver| {
        set_user_namespace(driver, &["network", "ipc"]);
        set_mounts(driver, &[mapped(driver, "idmap", Value::Null)]);
        driver.output();
        let new = fs::metadata(source(driver).join("new")).expect(OURS);
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&new), 0);
    });
}

/// Starts a container in a mount namespace where the source is nosuid.
fn with_a_locked_source(driver: &Driver, options: &[&str]) -> (bool, String) {
    let source = source(driver);
    set_user_namespace(driver, &["network", "ipc"]);
    set_mounts(
        driver,
        &[json!({"destination": "/mnt", "source": source, "options": options})],
    );
    let script = "mount -t tmpfs -o nosuid none $3; \
        exec $0 --root $1 run --bundle $2 $4 </dev/null 2>&1";
    let mut unshare = std::process::Command::new("unshare");
    unshare.args(["--mount", "sh", "-c", script]);
    unshare.arg(&driver.runtime.program).arg(driver.scratch.state_root());
    unshare.arg(driver.bundle.path()).arg(source).arg(driver.id());
    let output = unshare.output().expect("util-linux is everywhere");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), said)
}

#[test]
fn what_the_host_has_set_stays_in_a_user_namespace() {
    let options = "$5 == \"/mnt\" { print $6 }";
    on_ours(&["awk", options, "/proc/self/mountinfo"], |driver| {
        let seen = with_a_locked_source(driver, &["bind", "ro", "noexec"]);
        assert_eq!(seen, (true, "ro,nosuid,noexec,relatime\n".to_owned()));
        let (went_well, said) = with_a_locked_source(driver, &["bind", "suid"]);
        assert!(!went_well, "{said}");
        let start = "imageless: config.json: mounts[1]: mount_setattr(";
        assert!(said.starts_with(start), "{said}");
        assert!(said.contains("\nhint: in a user namespace"), "{said}");
    });
}

#[test]
#[rustfmt::skip]
fn what_a_user_namespace_may_not_mount_ends_at_the_way_out() {
    on_ours(&["true"], |driver| {
        set_user_namespace(driver, &[]);
        for (typ, options, start, hint) in [
            ("sysfs", json!([]), "mount(\"none\", \"/mnt\", \"sysfs\", 0, NULL) = EPERM", "rbind"),
            ("mqueue", json!([]), "mount(\"none\", \"/mnt\", \"mqueue\", 0, NULL) = EPERM", "ipc namespace"),
            ("devpts", json!(["gid=5000"]), "options: \"gid=5000\": not an id", "linux.gidMappings"),
            ("tmpfs", json!(["uid=5000"]), "options: \"uid=5000\": not an id", "linux.uidMappings"),
        ] {
            let mount = json!({"destination": "/mnt", "type": typ, "source": "none", "options": options});
            set_mounts(driver, &[mount]);
            let said = driver.fails(&["run"]).stderr;
            assert!(said.starts_with(&format!("imageless: config.json: mounts[1]: {start}")), "{said}");
            let (_, way_out) = said.split_once("\nhint: ").unwrap_or_default();
            assert!(way_out.contains(hint), "{said}");
        }
    });
}

#[test]
fn the_hosts_sys_is_bound_where_a_new_one_is_forbidden() {
    let options = "$5 == \"/sys\" { print $6 }";
    on_ours(&["awk", options, "/proc/self/mountinfo"], |driver| {
        set_user_namespace(driver, &[]);
        set_mounts(
            driver,
            &[
                json!({"destination": "/sys", "source": "/sys", "options": ["rbind", "rro"]}),
            ],
        );
        assert!(driver.output().starts_with("ro,"));
    });
}

#[test]
#[rustfmt::skip]
fn a_map_that_cannot_be_meant_is_refused_by_its_field() {
    on_ours(&["true"], |driver| {
        let one = json!([{"containerID": 0, "hostID": 1000, "size": 10}]);
        let twice = json!([{"containerID": 0, "hostID": 1, "size": 2}, {"containerID": 1, "hostID": 9, "size": 2}]);
        for (value, start) in [
            (json!({"options": ["bind", "idmap"]}), "uidMappings: missing: the options say idmap"),
            (json!({"options": ["bind"], "uidMappings": one}), "gidMappings: missing"),
            (json!({"options": ["bind"], "gidMappings": one}), "uidMappings: missing"),
            (json!({"options": ["bind"], "uidMappings": twice, "gidMappings": one}), "uidMappings: "),
            (json!({"options": ["bind"], "source": "/proc/fs", "uidMappings": one, "gidMappings": one}), "mount_setattr("),
        ] {
            let mut mount = json!({"destination": "/mnt", "source": source(driver)});
            for (field, value) in value.as_object().expect("it is one") {
                mount[field] = value.clone();
            }
            set_mounts(driver, &[mount]);
            let said = driver.fails(&["run"]).stderr;
            let start = format!("imageless: config.json: mounts[1]: {start}");
            assert!(said.starts_with(&start), "{said}");
        }
    });
}
