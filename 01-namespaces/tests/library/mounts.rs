//! Mounts by handle. Each test unshares the mount namespace of its own thread,
//! so that no test sees another's mounts, and nothing is left of them.

use namespaces::mounts::{
    Attributes, DetachedMount, Filesystem, MountAttrFlags, Propagation, Reach,
};
use namespaces::root::Root;
use namespaces::rootfs::bind_root;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use std::fs;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use testkit::{Need, Scratch, requires};

/// Runs a test in a mount namespace of its own, as root.
pub(crate) fn with_own_mounts(test: impl FnOnce(&Path) + Send) {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let in_thread = || {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        Propagation::Private.set_on_all().unwrap();
        test(scratch.path());
    };
    std::thread::scope(|scope| scope.spawn(in_thread).join().unwrap());
}

pub(crate) fn mkdir(at: &Path, name: &str) -> Root {
    fs::create_dir_all(at.join(name)).unwrap();
    Root::open(&at.join(name)).unwrap()
}

pub(crate) fn is_read_only(path: &Path) -> bool {
    let written = fs::write(path.join("x"), "");
    written.is_err_and(|error| error.kind() == ErrorKind::ReadOnlyFilesystem)
}

pub(crate) fn tmpfs() -> DetachedMount {
    Filesystem::tmpfs("size=64k").create().unwrap()
}

/// The optional fields of mountinfo: `shared:1`, `master:1`, or nothing.
fn propagation_of(path: &Path) -> String {
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let line = mounts
        .lines()
        .rfind(|line| line.split(' ').nth(4) == Some(path.to_str().unwrap()));
    let (mount, _) = line.unwrap().split_once(" - ").unwrap();
    mount.split(' ').skip(6).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_mount_that_is_not_attached_is_nowhere_and_one_that_is_stays() {
    with_own_mounts(|at| {
        let point = mkdir(at, "point");
        let mount = tmpfs();
        fs::write(at.join("point/below"), "").unwrap();
        let root = Root::of_mount(mount.attach(point.as_fd()).unwrap(), at);
        assert!(!at.join("point/below").exists());
        root.create_dir_all(Path::new("dir")).unwrap();
        assert!(at.join("point/dir").is_dir());
    });
}

#[test]
fn a_directory_is_not_attached_on_a_file() {
    with_own_mounts(|at| {
        fs::write(at.join("file"), "").unwrap();
        let file = fs::File::open(at.join("file")).unwrap();
        let error = tmpfs().attach(file.as_fd()).unwrap_err();
        assert_eq!(error.errno, Errno::EINVAL);
        assert!(error.call.starts_with("move_mount("), "{error}");
    });
}

#[test]
fn a_link_in_the_root_does_not_lead_a_mount_out_of_it() {
    with_own_mounts(|at| {
        let (root, host) = (mkdir(at, "root"), at.join("host"));
        fs::create_dir(&host).unwrap();
        symlink("../../../../../..", at.join("root/up")).unwrap();
        symlink(&host, at.join("root/out")).unwrap();
        let target = Path::new("/up").join(host.strip_prefix("/").unwrap());
        tmpfs().attach_in(&root, &target).unwrap();
        assert!(
            at.join("root").join(target.strip_prefix("/up").unwrap()).exists()
        );
        tmpfs().attach_in(&root, Path::new("/out")).unwrap();
        assert!(!is_mount_point(&host));
    });
}

fn is_mount_point(path: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let path = path.to_str();
    mounts.lines().any(|line| line.split(' ').nth(4) == path)
}

#[test]
fn a_directory_swapped_for_a_link_after_it_was_found_changes_nothing() {
    with_own_mounts(|at| {
        let (root, host) = (mkdir(at, "root"), at.join("host"));
        fs::create_dir(&host).unwrap();
        let point = root.create_dir_all(Path::new("/point")).unwrap();
        fs::rename(at.join("root/point"), at.join("root/moved")).unwrap();
        symlink(&host, at.join("root/point")).unwrap();
        // What mount(2) by path would do now:
        assert_eq!(fs::canonicalize(at.join("root/point")).unwrap(), host);
        tmpfs().attach(point.as_fd()).unwrap();
        assert!(is_mount_point(&at.join("root/moved")));
        assert!(!is_mount_point(&host));
    });
}

#[test]
fn a_link_in_the_place_of_dev_is_refused() {
    with_own_mounts(|at| {
        let root = mkdir(at, "root");
        symlink("proc/self", at.join("root/dev")).unwrap();
        fs::create_dir_all(at.join("root/proc/self")).unwrap();
        for path in ["/dev", "dev", "/dev/"] {
            let error = tmpfs().attach_in(&root, Path::new(path)).unwrap_err();
            assert_eq!(error.errno, Errno::ELOOP, "{path}");
        }
        assert!(!is_mount_point(&at.join("root/proc/self")));
    });
}

#[test]
fn attributes_of_a_tree_hold_below_and_those_of_one_mount_do_not() {
    with_own_mounts(|at| {
        for (reach, below) in [(Reach::AllBelow, true), (Reach::This, false)] {
            let tree = mkdir(at, "tree");
            let top = tmpfs().attach(tree.as_fd()).unwrap();
            let root = Root::of_mount(top, &at.join("tree"));
            tmpfs().attach_in(&root, Path::new("/below")).unwrap();
            let copy = DetachedMount::open_tree(root.as_fd(), Reach::AllBelow);
            let copy = copy.unwrap();
            let read_only = Attributes::set(MountAttrFlags::MOUNT_ATTR_RDONLY);
            copy.set(&read_only, reach).unwrap();
            copy.attach(mkdir(at, "copy").as_fd()).unwrap();
            assert!(is_read_only(&at.join("copy")));
            assert_eq!(is_read_only(&at.join("copy/below")), below);
            // The mounts that were copied are as before.
            assert!(!is_read_only(&at.join("tree")));
        }
    });
}

#[test]
fn a_tree_without_what_is_below_does_not_have_it() {
    with_own_mounts(|at| {
        let top = tmpfs().attach(mkdir(at, "tree").as_fd()).unwrap();
        let root = Root::of_mount(top, &at.join("tree"));
        tmpfs().attach_in(&root, Path::new("/below")).unwrap();
        fs::write(at.join("tree/below/file"), "").unwrap();
        for (reach, there) in [(Reach::AllBelow, true), (Reach::This, false)] {
            let copy = DetachedMount::open_tree(root.as_fd(), reach).unwrap();
            copy.attach(mkdir(at, "copy").as_fd()).unwrap();
            assert_eq!(at.join("copy/below/file").exists(), there);
        }
    });
}

#[test]
fn attributes_can_be_taken_away_again() {
    with_own_mounts(|at| {
        let read_only = MountAttrFlags::MOUNT_ATTR_RDONLY;
        let mount = tmpfs().attach(mkdir(at, "x").as_fd()).unwrap();
        Attributes::set(read_only).apply(mount.as_fd(), Reach::This).unwrap();
        assert!(is_read_only(&at.join("x")));
        let clear = Attributes::clear(read_only);
        clear.apply(mount.as_fd(), Reach::This).unwrap();
        assert!(!is_read_only(&at.join("x")));
    });
}

#[test]
fn a_detached_mount_gets_its_propagation_before_anybody_sees_it() {
    with_own_mounts(|at| {
        let ways = [
            (Propagation::Private, ""),
            (Propagation::Shared, "shared:"),
            (Propagation::Unbindable, "unbindable"),
        ];
        for (propagation, expected) in ways {
            let mount = tmpfs();
            let change = Attributes::propagation(propagation);
            mount.set(&change, Reach::This).unwrap();
            let name = format!("x{expected}");
            mount.attach(mkdir(at, &name).as_fd()).unwrap();
            let found = propagation_of(&at.join(name));
            assert!(found.starts_with(expected), "{found}");
            assert_eq!(found.is_empty(), expected.is_empty(), "{found}");
        }
    });
}

#[test]
fn a_slave_receives_from_its_master_and_gives_nothing_back() {
    with_own_mounts(|at| {
        let mount = tmpfs();
        let share = Attributes::propagation(Propagation::Shared);
        mount.set(&share, Reach::This).unwrap();
        let master = mount.attach(mkdir(at, "master").as_fd()).unwrap();
        let master = Root::of_mount(master, &at.join("master"));
        for dir in ["down", "up"] {
            master.create_dir_all(Path::new(dir)).unwrap();
        }
        let copy = DetachedMount::open_tree(master.as_fd(), Reach::This);
        let copy = copy.unwrap();
        let slave = Attributes::propagation(Propagation::Slave);
        copy.set(&slave, Reach::This).unwrap();
        let copy = copy.attach(mkdir(at, "slave").as_fd()).unwrap();
        let slave = Root::of_mount(copy, &at.join("slave"));
        tmpfs().attach_in(&master, Path::new("/down")).unwrap();
        tmpfs().attach_in(&slave, Path::new("/up")).unwrap();
        assert!(is_mount_point(&at.join("slave/down")));
        assert!(!is_mount_point(&at.join("master/up")));
    });
}

#[test]
fn a_new_file_system_has_its_options_and_attributes() {
    with_own_mounts(|at| {
        let mount = Filesystem::tmpfs("size=64k,mode=700").create().unwrap();
        mount.attach(mkdir(at, "x").as_fd()).unwrap();
        let mounts = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
        let line = mounts.lines().last().unwrap();
        for word in ["nosuid", "nodev", "- tmpfs tmpfs", "size=64k", "mode=700"]
        {
            assert!(line.contains(word), "{line}");
        }
    });
}

#[test]
fn a_wrong_option_is_explained_in_the_kernel_s_words() {
    with_own_mounts(|_| {
        let error = Filesystem::tmpfs("size=many").create().unwrap_err();
        assert_eq!(error.errno, Errno::EINVAL);
        let call = r#"fsconfig(FS, FSCONFIG_SET_STRING, "size", "many", 0)"#;
        assert_eq!(error.call, call);
        let hint = error.hint.unwrap();
        assert!(hint.contains("tmpfs: Bad value for 'size'"), "{hint}");
    });
}

#[test]
fn an_unknown_file_system_is_named() {
    with_own_mounts(|_| {
        let error = Filesystem::new("nofs").create().unwrap_err();
        let expected = "fsopen(\"nofs\", FSOPEN_CLOEXEC) = ENODEV";
        assert!(error.to_string().starts_with(expected), "{error}");
    });
}

#[test]
fn the_handle_of_a_bound_root_is_on_the_mount_and_not_below_it() {
    with_own_mounts(|at| {
        mkdir(at, "root");
        let root = bind_root(&at.join("root")).unwrap();
        // Only the root of a mount has attributes.
        Attributes::set(MountAttrFlags::MOUNT_ATTR_RDONLY)
            .apply(root.as_fd(), Reach::This)
            .unwrap();
        assert!(is_read_only(&at.join("root")));
    });
}
