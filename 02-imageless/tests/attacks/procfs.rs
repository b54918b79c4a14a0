//! /proc and /sys: who can put something else in their place, or over a part of
//! them, makes masks, labels and sysctls go to files that nobody heeds.

use crate::careless::{careless, tools};
use crate::driver::{Driver, OURS, on_each_runtime, on_ours};
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// Makes `name` of the root file system a link to a directory of the host.
fn link_to_the_host(driver: &Driver, name: &str) -> PathBuf {
    let host = driver.scratch.path().join("host");
    let place = driver.bundle.rootfs().join(name);
    fs::create_dir_all(&host).expect(OURS);
    fs::remove_dir(&place).expect(OURS);
    symlink(&host, place).expect(OURS);
    host
}

#[test]
fn by_a_careless_mount_a_link_in_the_place_of_proc_gets_the_hosts_directory() {
    if !tools() {
        return;
    }
    on_ours(&["true"], |driver| {
        link_to_the_host(driver, "proc");
        let said = careless(
            driver,
            "mount -t proc proc $R/proc && ls $S/host | grep -x uptime",
        );
        assert_eq!(said, "uptime\n");
    });
}

/// CVE-2019-16884, CVE-2019-18837, CVE-2019-19921, CVE-2023-27561,
/// CVE-2023-28642, CVE-2025-54867.
#[test]
fn a_link_in_the_place_of_proc_or_sys_is_refused() {
    for name in ["proc", "sys"] {
        on_each_runtime(&["true"], |driver| {
            let host = link_to_the_host(driver, name);
            driver.fails(&["create"]);
            let left: Vec<_> = fs::read_dir(host).expect(OURS).collect();
            assert!(left.is_empty(), "{left:?}");
        });
    }
}

#[test]
fn by_a_careless_write_a_sysctl_goes_to_the_volume_that_lies_over_it() {
    if !tools() {
        return;
    }
    on_ours(&["true"], |driver| {
        let said = careless(
            driver,
            "mount -t proc proc $R/proc && mount -t tmpfs t $R/proc/sys/net \
             && mkdir $R/proc/sys/net/ipv4 && \
             echo 77 >$R/proc/sys/net/ipv4/ip_default_ttl && \
             umount $R/proc/sys/net && \
             test $(cat $R/proc/sys/net/ipv4/ip_default_ttl) != 77 && \
             echo lost",
        );
        assert_eq!(said, "lost\n");
    });
}

/// Mounts something on `destination` after /proc.
fn set_mounts(driver: &Driver, destination: &str, typ: &str) {
    let source = driver.scratch.path();
    driver.set(
        "/mounts",
        json!([{"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": destination, "type": typ, "source": source}]),
    );
}

/// CVE-2019-16884, CVE-2025-52881: a volume over a part of /proc, by its name
/// or through a link of the image.
#[test]
fn a_volume_over_a_part_of_proc_is_refused() {
    on_each_runtime(&["true"], |driver| {
        let rootfs = driver.bundle.rootfs();
        symlink("/proc/self/attr", rootfs.join("attr")).expect(OURS);
        symlink("/proc/sys/net", rootfs.join("net")).expect(OURS);
        for place in ["/proc/self/attr", "/attr", "/proc/sys/net", "/net"] {
            set_mounts(driver, place, "bind");
            driver.fails(&["create"]);
        }
    });
}

/// The same with a tmpfs, which Debian's runc 1.1.5 and crun 1.8.1 accept.
#[test]
fn so_is_an_empty_one_by_its_field() {
    on_ours(&["true"], |driver| {
        symlink("/proc/sys/net", driver.bundle.rootfs().join("net"))
            .expect(OURS);
        for place in ["/proc/self/attr", "/proc/./sys//net/", "/net"] {
            set_mounts(driver, place, "tmpfs");
            let answer = driver.fails(&["create"]);
            let start = "imageless: config.json: mounts[1]: destination: ";
            assert!(answer.stderr.starts_with(start), "{answer:?}");
        }
    });
}

/// CVE-2019-16884: an image with a volume at /proc itself, which takes the
/// place of the real one.
#[test]
fn a_directory_in_the_place_of_proc_is_refused() {
    on_each_runtime(&["true"], |driver| {
        let fake = driver.scratch.path().join("fake");
        fs::create_dir(&fake).expect(OURS);
        let bind = json!({"destination": "/proc", "type": "bind",
            "source": fake, "options": ["rbind"]});
        driver.set("/mounts", json!([bind]));
        driver.fails(&["create"]);
    });
}

/// What engines do mount there: the host's /proc itself, and lxcfs' files.
#[test]
fn the_real_proc_and_single_files_of_it_may_be_bound() {
    on_each_runtime(&["grep", "-c", "", "/proc/uptime"], |driver| {
        let uptime = driver.scratch.path().join("uptime");
        fs::write(&uptime, "1\n2\n3\n").expect(OURS);
        let bind = |from: &str, to: &str| {
            json!({"destination": to,
            "type": "bind", "source": from, "options": ["rbind"]})
        };
        let uptime = uptime.to_str().unwrap();
        let mounts = [bind("/proc", "/proc"), bind(uptime, "/proc/uptime")];
        driver.set("/mounts", json!(mounts));
        driver.set("/linux/maskedPaths", json!([]));
        driver.set("/linux/readonlyPaths", json!([]));
        assert_eq!(driver.output(), "3\n", "{}", driver.runtime.name);
    });
}
