//! A masked path is covered by /dev/null. Which one?

use crate::careless::{careless, tools};
use crate::driver::{Driver, OURS, on_ours};
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Gives the container a /dev of the attacker's, in which null leads to a file
/// of the attacker's choice.
fn set_evil_dev(driver: &Driver) {
    let dev = driver.scratch.path().join("dev");
    fs::create_dir(&dev).expect(OURS);
    symlink("/chosen", dev.join("null")).expect(OURS);
    fs::write(driver.bundle.rootfs().join("chosen"), "chosen\n").expect(OURS);
    fs::write(driver.bundle.rootfs().join("secret"), "secret\n").expect(OURS);
    let bind = json!({"destination": "/dev", "type": "bind", "source": dev,
        "options": ["rbind"]});
    driver.set("/mounts", json!([bind]));
    driver.set("/linux/readonlyPaths", json!([]));
    driver.set("/linux/maskedPaths", json!(["/secret"]));
}

#[test]
fn by_a_careless_mask_the_images_dev_null_chooses_what_is_bound() {
    if !tools() {
        return;
    }
    on_ours(&["true"], |driver| {
        set_evil_dev(driver);
        let said = careless(
            driver,
            "mount --bind $S/dev $R/dev && cp /bin/busybox $R/bin/ && \
             chroot $R /bin/busybox sh -c \
             '/bin/busybox mount -o bind /dev/null /secret; cat /secret'",
        );
        assert_eq!(said, "chosen\n");
    });
}

/// CVE-2025-31133, CVE-2025-62161. Debian's runc 1.1.5 binds what is chosen.
#[test]
fn a_mask_is_the_hosts_null_whatever_the_containers_leads_to() {
    let script = "cat /secret; stat -c %t:%T /secret";
    on_ours(&["sh", "-c", script], |driver| {
        set_evil_dev(driver);
        assert_eq!(driver.output(), "1:3\n");
    });
}

/// CVE-2025-31133: the same without a volume, by a file of the image.
#[test]
fn a_null_of_the_images_own_is_refused() {
    on_ours(&["true"], |driver| {
        let null = driver.bundle.rootfs().join("dev/null");
        driver.set("/mounts", json!([]));
        let make: [fn(&Path); 3] = [
            |null| fs::write(null, "").expect(OURS),
            |null| symlink("/chosen", null).expect(OURS),
            |null| symlink("zero", null).expect(OURS),
        ];
        for make in make {
            make(&null);
            let answer = driver.fails(&["create"]);
            assert!(answer.stderr.contains("/dev/null"), "{answer:?}");
            fs::remove_file(&null).expect(OURS);
        }
    });
}
