//! What is made in /dev before the pivot, when /dev is not where it seems to be.

use crate::careless::{careless, tools};
use crate::driver::{Driver, OURS, on_ours};
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// Makes the image's /dev a link to a directory of the host, which has a ptmx.
fn link_dev_to_the_host(driver: &Driver) -> PathBuf {
    let host = driver.scratch.path().join("host");
    let dev = driver.bundle.rootfs().join("dev");
    fs::create_dir(&host).expect(OURS);
    fs::write(host.join("ptmx"), "the host's").expect(OURS);
    fs::remove_dir(&dev).expect(OURS);
    symlink(&host, &dev).expect(OURS);
    host
}

#[test]
fn by_a_careless_link_a_file_of_the_host_is_replaced() {
    if !tools() {
        return;
    }
    on_ours(&["true"], |driver| {
        let host = link_dev_to_the_host(driver);
        careless(driver, "ln -sf pts/ptmx $R/dev/ptmx");
        assert!(host.join("ptmx").is_symlink());
    });
}

/// CVE-2026-41579, with and without a mount on /dev.
#[test]
fn a_dev_that_is_a_link_changes_nothing_on_the_host() {
    on_ours(&["true"], |driver| {
        let host = link_dev_to_the_host(driver);
        let dev = json!({"destination": "/dev", "type": "tmpfs"});
        for (mounts, is_made) in [(json!([dev]), false), (json!([]), true)] {
            driver.set("/mounts", mounts);
            match is_made {
                true => driver.ok(&["create"]),
                false => driver.fails(&["create"]),
            };
            let ptmx = fs::read_to_string(host.join("ptmx")).expect(OURS);
            assert_eq!(ptmx, "the host's");
            assert_eq!(fs::read_dir(&host).expect(OURS).count(), 1);
        }
        driver.ok(&["delete"]);
    });
}

/// The same, where the link leads to something inside: it stays inside.
#[test]
fn a_dev_that_is_a_link_inside_is_filled_inside() {
    on_ours(&["true"], |driver| {
        let host = link_dev_to_the_host(driver);
        let inside =
            driver.bundle.rootfs().join(host.strip_prefix("/").unwrap());
        fs::create_dir_all(&inside).expect(OURS);
        driver.set("/mounts", json!([]));
        driver.ok(&["create"]);
        driver.ok(&["delete"]);
        assert!(inside.join("ptmx").is_symlink());
        assert_eq!(fs::read_dir(&host).expect(OURS).count(), 1);
    });
}
