//! Directories of the host, file systems in memory, layers, and copies.

use crate::podman::{Podman, on_each_runtime};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const OURS: &str = "the scratch directory is ours";

/// A directory of the host with one file, as a volume at `/mnt`.
fn volume(podman: &Podman, options: &str) -> String {
    let dir = podman.scratch.path().join("volume");
    fs::create_dir_all(&dir).expect(OURS);
    fs::write(dir.join("file"), "host\n").expect(OURS);
    format!("{}:/mnt{options}", dir.display())
}

fn on_the_host(podman: &Podman) -> String {
    let file = podman.scratch.path().join("volume/file");
    fs::read_to_string(file).expect(OURS)
}

#[test]
fn a_volume_is_read_and_written() {
    on_each_runtime(|podman| {
        let volume = volume(podman, "");
        let script = "cat /mnt/file; echo container >/mnt/file";
        podman.prints(&[(&["--volume", &volume], script, "host\n")]);
        assert_eq!(on_the_host(podman), "container\n");
    });
}

#[test]
fn a_volume_that_is_read_only_is_not_written() {
    on_each_runtime(|podman| {
        let volume = volume(podman, ":ro");
        let script = "cat /mnt/file; echo x 2>/dev/null >/mnt/file || echo no";
        podman.prints(&[(&["--volume", &volume], script, "host\nno\n")]);
        assert_eq!(on_the_host(podman), "host\n");
    });
}

#[test]
fn a_volume_below_a_layer_keeps_what_it_had() {
    on_each_runtime(|podman| {
        let volume = volume(podman, ":O");
        let script = "echo layer >/mnt/file; cat /mnt/file";
        podman.prints(&[(&["--volume", &volume], script, "layer\n")]);
        assert_eq!(on_the_host(podman), "host\n");
    });
}

#[test]
fn a_named_volume_outlives_its_container() {
    on_each_runtime(|podman| {
        podman.prints(&[
            (&["--volume", "data:/mnt"], "echo kept >/mnt/file", ""),
            (&["--volume", "data:/mnt"], "cat /mnt/file", "kept\n"),
        ]);
    });
}

#[test]
fn a_root_that_is_read_only_is_not_written() {
    on_each_runtime(|podman| {
        podman.prints(&[(
            &["--read-only", "--read-only-tmpfs=false"],
            "touch /x 2>/dev/null || echo no",
            "no\n",
        )]);
        podman.prints(&[(
            &["--read-only"],
            "touch /x 2>/dev/null || echo no; touch /tmp/x && echo yes",
            "no\nyes\n",
        )]);
    });
}

#[test]
fn a_file_system_in_memory_has_its_size_and_what_the_directory_had() {
    on_each_runtime(|podman| {
        let script = "df /etc | tail -1 | awk '{ print $1, $2 }'; \
                      grep -c root /etc/group";
        let tmpfs = ["--tmpfs", "/etc:size=64k"];
        podman.prints(&[(&tmpfs, script, "tmpfs 64\n1\n")]);
    });
}

#[test]
fn shared_memory_has_the_size_that_was_asked_for() {
    on_each_runtime(|podman| {
        let script = "df /dev/shm | tail -1 | awk '{print $2}'";
        podman.prints(&[(&["--shm-size", "1m"], script, "1024\n")]);
    });
}

#[test]
fn a_resolv_conf_that_is_a_link_to_nothing_is_the_one_of_the_container() {
    on_each_runtime(|podman| {
        let etc = Path::new(podman.rootfs()).join("etc");
        let stub = "../run/systemd/resolve/stub-resolv.conf";
        symlink(stub, etc.join("resolv.conf")).expect(OURS);
        let options = ["--network", "host", "--dns", "1.2.3.4"];
        let script = "grep -c 1.2.3.4 /etc/resolv.conf";
        podman.prints(&[(&options, script, "1\n")]);
    });
}

#[test]
fn files_are_copied_into_a_container_and_out_of_it() {
    on_each_runtime(|podman| {
        podman.start(&[]);
        let (from, to) =
            ["from", "to"].map(|name| podman.scratch.path().join(name)).into();
        fs::write(&from, "copied\n").expect(OURS);
        podman.ok(&["cp", &from.to_string_lossy(), "box:/tmp/file"]);
        podman.ok(&["cp", "box:/tmp/file", &to.to_string_lossy()]);
        assert_eq!(podman.ok(&["exec", "box", "cat", "/tmp/file"]), "copied\n");
        assert_eq!(fs::read_to_string(to).expect(OURS), "copied\n");
    });
}
