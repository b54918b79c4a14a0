//! Where a mount goes if the image has a symlink there that leads nowhere:
//! distributions bring their /etc/resolv.conf so, and engines mount on it.

use super::driver::{Driver, OURS, on_each_runtime};
use super::mounts::set_mounts;
use serde_json::json;
use std::fs;
use std::os::unix::fs::symlink;

/// Mounts what is in `from` on `to`, and reads `seen` in the container.
fn read_after_mount(
    driver: &Driver,
    (from, to, seen): (&str, &str, &str),
) -> String {
    let source = driver.scratch.path().join(from);
    let mount =
        json!({"destination": to, "source": source, "options": ["bind"]});
    set_mounts(driver, &[mount]);
    driver.set("/process/args", json!(["cat", seen]));
    driver.output()
}

#[test]
fn a_mount_on_a_link_that_leads_nowhere_is_where_it_leads_inside() {
    on_each_runtime(&[], |driver| {
        let rootfs = driver.bundle.rootfs();
        let source = driver.scratch.path().join("source");
        fs::create_dir(&source).expect(OURS);
        fs::write(source.join("mark"), "here\n").expect(OURS);
        fs::create_dir_all(rootfs.join("etc")).expect(OURS);
        for (link, text) in [
            ("etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf"),
            ("dir", "/var/dir"),
            ("first", "../second"),
            ("second", "/var/third"),
        ] {
            symlink(text, rootfs.join(link)).expect(OURS);
        }
        for row in [
            ("source/mark", "/etc/resolv.conf", "/etc/resolv.conf"),
            (
                "source/mark",
                "/etc/resolv.conf",
                "/run/systemd/resolve/stub-resolv.conf",
            ),
            ("source", "/dir", "/var/dir/mark"),
            ("source/mark", "/dir/below/file", "/var/dir/below/file"),
            ("source/mark", "/first", "/var/third"),
        ] {
            let output = read_after_mount(driver, row);
            assert_eq!(output, "here\n", "{}: {row:?}", driver.runtime.name);
        }
        let link = fs::read_link(rootfs.join("second")).expect(OURS);
        assert_eq!(link.to_str(), Some("/var/third"), "the link stays");
    });
}
