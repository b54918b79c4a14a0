//! Overlays: what is below is only read.

use crate::mounts::{is_read_only, mkdir, tmpfs, with_own_mounts};
use namespaces::mounts::{Overlay, Upper};
use namespaces::root::Root;
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;

#[test]
fn an_overlay_shows_all_layers_and_changes_only_the_upper_one() {
    with_own_mounts(|at| {
        for (layer, file) in [("one", "a"), ("one", "b"), ("two", "b")] {
            mkdir(at, layer);
            fs::write(at.join(layer).join(file), layer).unwrap();
        }
        let (one, two) = (mkdir(at, "one"), mkdir(at, "two"));
        let memory = tmpfs().attach(mkdir(at, "memory").as_fd()).unwrap();
        let memory = Root::of_mount(memory, at);
        let upper = memory.create_dir_all(Path::new("upper")).unwrap();
        let work = memory.create_dir_all(Path::new("work")).unwrap();
        let upper = Upper { dir: upper.as_fd(), work: work.as_fd() };
        let lower = [two.as_fd(), one.as_fd()];
        let overlay = Overlay { lower: &lower, upper: Some(upper) };
        let overlay = overlay.filesystem().create().unwrap();
        overlay.attach(mkdir(at, "merged").as_fd()).unwrap();
        let merged = at.join("merged");
        assert_eq!(fs::read(merged.join("a")).unwrap(), b"one");
        assert_eq!(fs::read(merged.join("b")).unwrap(), b"two");
        fs::remove_file(merged.join("b")).unwrap();
        fs::write(merged.join("a"), "changed").unwrap();
        assert_eq!(fs::read(at.join("one/a")).unwrap(), b"one");
        assert_eq!(fs::read(at.join("two/b")).unwrap(), b"two");
        let changed = fs::read(at.join("memory/upper/a")).unwrap();
        assert_eq!(changed, b"changed");
    });
}

#[test]
fn an_overlay_without_an_upper_directory_cannot_be_written() {
    with_own_mounts(|at| {
        let (one, two) = (mkdir(at, "one"), mkdir(at, "two"));
        let lower = [two.as_fd(), one.as_fd()];
        let overlay = Overlay { lower: &lower, upper: None };
        let overlay = overlay.filesystem().create().unwrap();
        overlay.attach(mkdir(at, "merged").as_fd()).unwrap();
        assert!(is_read_only(&at.join("merged")));
    });
}

#[test]
fn a_throw_away_overlay_leaves_the_directory_as_it_was() {
    with_own_mounts(|at| {
        mkdir(at, "root");
        fs::write(at.join("root/file"), "kept").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o1777);
        fs::set_permissions(at.join("root"), mode).unwrap();
        let below = mkdir(at, "root");
        let root = Root::overlay(&at.join("root")).unwrap();
        root.create_dir_all(Path::new("/new")).unwrap();
        fs::write(at.join("root/file"), "changed").unwrap();
        assert!(below.resolve(Path::new("/new")).is_err());
        let file = below.resolve(Path::new("/file")).unwrap();
        let file = namespaces::root::path_of(file.as_fd());
        assert_eq!(fs::read(file).unwrap(), b"kept");
        let top = namespaces::root::status(root.as_fd()).unwrap();
        assert_eq!(top.st_mode & 0o7777, 0o1777);
    });
}
