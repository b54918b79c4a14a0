//! Paths inside a root do not leave it, whatever links there are.

use namespaces::root::Root;
use nix::errno::Errno;
use nix::sys::stat::fstat;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use testkit::Scratch;

/// `SCRATCH/root` with a link that points at `SCRATCH/host`.
fn setup(link: impl FnOnce(&Path) -> PathBuf) -> (Scratch, Root) {
    let scratch = Scratch::new();
    let root = scratch.path().join("root");
    let host = scratch.path().join("host");
    fs::create_dir(&root).unwrap();
    fs::create_dir(&host).unwrap();
    symlink(link(&host), root.join("link")).unwrap();
    let root = Root::open(&root).unwrap();
    (scratch, root)
}

fn host_is_empty(scratch: &Scratch) -> bool {
    fs::read_dir(scratch.path().join("host")).unwrap().next().is_none()
}

#[test]
fn an_absolute_link_is_resolved_inside() {
    let (scratch, root) = setup(Path::to_owned);
    root.create_dir_all(Path::new("/link/a/b")).unwrap();
    root.create_file(Path::new("/link/file")).unwrap();
    root.symlink(Path::new("x"), Path::new("/link/y")).unwrap();
    assert!(host_is_empty(&scratch));
    let host = scratch.path().join("host");
    let inside = root.path().join(host.strip_prefix("/").unwrap());
    assert!(inside.join("a/b").is_dir());
    assert!(inside.join("file").is_file() && inside.join("y").is_symlink());
}

#[test]
fn dots_stop_at_the_root() {
    let (scratch, root) = setup(|_| "../../../../..".into());
    let top = root.resolve(Path::new("/link/../..")).unwrap();
    let expected = fs::metadata(scratch.path().join("root")).unwrap().ino();
    assert_eq!(fstat(&top).unwrap().st_ino, expected);
    root.create_dir_all(Path::new("../link/made")).unwrap();
    assert!(scratch.path().join("root/made").is_dir());
    assert!(host_is_empty(&scratch));
}

#[test]
fn what_links_lead_to_is_made_if_it_is_missing() {
    let (scratch, root) = setup(|_| "../a/b/../next".into());
    symlink("/c/file", root.path().join("next")).unwrap();
    // The first leads to a/next: the second is not on its way.
    root.create_file(Path::new("link")).unwrap();
    root.create_file(Path::new("next")).unwrap();
    for file in ["a/next", "c/file"] {
        assert!(root.path().join(file).is_file(), "{file}");
    }
    symlink("next-but-one", root.path().join("c/one")).unwrap();
    symlink("../../c/dir", root.path().join("c/next-but-one")).unwrap();
    root.create_dir_all(Path::new("/c/one/below")).unwrap();
    assert!(root.path().join("c/dir/below").is_dir());
    assert!(host_is_empty(&scratch));
}

#[test]
fn too_many_links_are_refused() {
    let (_scratch, root) = setup(|_| "circle".into());
    symlink("link", root.path().join("circle")).unwrap();
    let error = root.create_file(Path::new("/link")).unwrap_err();
    assert_eq!(error.errno, Errno::ELOOP);
    let mut many = PathBuf::from("/");
    for n in 0..50 {
        symlink(format!("to{n}"), root.path().join(n.to_string())).unwrap();
        many.extend([&n.to_string(), ".."]);
    }
    let error = root.create_dir_all(&many).unwrap_err();
    assert_eq!(error.errno, Errno::ELOOP);
}

#[test]
fn a_link_at_the_end_is_replaced_and_not_followed() {
    let (scratch, root) = setup(Path::to_owned);
    root.symlink(Path::new("new"), Path::new("/link")).unwrap();
    let target = fs::read_link(scratch.path().join("root/link")).unwrap();
    assert_eq!(target, Path::new("new"));
    assert!(host_is_empty(&scratch));
}

#[test]
fn a_magic_link_of_proc_leads_nowhere() {
    let root = Root::open(Path::new("/")).unwrap();
    let error = root.resolve(Path::new("/proc/self/cwd")).unwrap_err();
    assert_eq!(error.errno, Errno::ELOOP);
}

#[test]
fn missing_directories_are_made_and_present_ones_kept() {
    let (scratch, root) = setup(Path::to_owned);
    root.create_dir_all(Path::new("a/b")).unwrap();
    root.create_file(Path::new("/a/b/c/file")).unwrap();
    root.create_file(Path::new("/a/b/c/file")).unwrap();
    assert!(scratch.path().join("root/a/b/c/file").is_file());
    let error = root.create_dir_all(Path::new("/a/b/c/file")).unwrap_err();
    assert_eq!(error.errno, Errno::ENOTDIR);
}
