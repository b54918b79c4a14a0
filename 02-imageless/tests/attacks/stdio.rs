//! Standard input, output and error are the caller's files. A runtime that
//! gives them to the container's user must not give away a device of the host.

use crate::driver::{Driver, OURS, on_each_runtime, on_ours};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use serde_json::json;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;
use testkit::{Need, crun, requires};

/// A null device of our own: the host's is not to be harmed by a test.
fn null(driver: &Driver) -> PathBuf {
    let null = driver.scratch.path().join("null");
    mknod(&null, SFlag::S_IFCHR, Mode::S_IRUSR | Mode::S_IWUSR, makedev(1, 3))
        .expect("we are root");
    null
}

/// Maps root to 100000, and runs with our null as standard input; its owner
/// after that.
fn owner_after_a_run(driver: &Driver, mut runtime: Command) -> u32 {
    let null = null(driver);
    let map = json!([{"containerID": 0, "hostID": 100_000, "size": 65536}]);
    driver.set("/linux/uidMappings", map.clone());
    driver.set("/linux/gidMappings", map);
    let kinds = ["user", "pid", "mount", "ipc", "uts"];
    let namespaces = kinds.map(|kind| json!({"type": kind}));
    driver.set("/linux/namespaces", json!(namespaces));
    let proc = json!({"destination": "/proc", "type": "proc"});
    driver.set("/mounts", json!([proc]));
    driver.set("/linux/maskedPaths", json!([]));
    driver.set("/linux/readonlyPaths", json!([]));
    let rootfs = driver.bundle.rootfs();
    for path in [&rootfs, &rootfs.join("dev")] {
        nix::unistd::chown(path, Some(100_000.into()), Some(100_000.into()))
            .expect("we are root");
    }
    for path in [driver.scratch.path(), driver.bundle.path()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
            .expect(OURS);
    }
    let stdin = File::open(&null).expect(OURS);
    let output = runtime.stdin(stdin).output().expect("it was found");
    assert!(output.status.success(), "{output:?}");
    fs::metadata(&null).expect(OURS).uid()
}

#[test]
fn by_a_careless_crun_a_null_becomes_the_containers() {
    if !requires(&[Need::Program("crun")]) {
        return;
    }
    on_ours(&["true"], |driver| {
        let crun = crun(&driver.scratch);
        let mut run = Command::new(&crun.program);
        run.arg("--root").arg(driver.scratch.state_root());
        run.args(["run", driver.id()]).current_dir(driver.bundle.path());
        assert_eq!(owner_after_a_run(driver, run), 100_000);
    });
}

/// Seen with crun 1.8.1: `crun run </dev/null` with a user namespace makes the
/// container's root the owner of the host's /dev/null.
#[test]
fn a_null_stays_roots() {
    on_each_runtime(&["true"], |driver| {
        let run = driver.command(&["run", driver.id()]);
        assert_eq!(owner_after_a_run(driver, run), 0);
    });
}
