//! What is mounted in the root for the user, and what of it reaches the host.

use crate::rootfs::Setup;
use crate::run::{ISOLATE, isolate, refusal, text};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use testkit::{Need, requires};

const USER: u32 = 1000;

impl Setup {
    /// Makes `SCRATCH/source` with a file in it, both owned by somebody.
    fn source(&self) -> String {
        let source = self.scratch.path().join("source");
        fs::create_dir(&source).unwrap();
        fs::write(source.join("file"), "from the host").unwrap();
        for path in [&source, &source.join("file")] {
            chown(path, Some(USER), Some(USER)).unwrap();
        }
        source.to_str().unwrap().to_owned()
    }

    /// Runs a shell command in a mount namespace of its own; `$I` is
    /// isolate(1), `$R` the root file system, `$D` a shared mount.
    fn in_unshared(&self, script: &str) -> String {
        let dir = self.scratch.path().join("shared");
        fs::create_dir_all(&dir).unwrap();
        let prepare = "mount -t tmpfs none $D && mount --make-shared $D\n";
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh", "-ec", &format!("{prepare}{script}")]);
        unshare.env("I", ISOLATE).env("R", self.rootfs()).env("D", dir);
        text(unshare.output().unwrap())
    }
}

#[test]
fn an_overlay_takes_the_changes_and_the_directory_stays_as_it_was() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let file = setup.bundle.rootfs().join("etc-file");
    fs::write(&file, "kept").unwrap();
    let before = names(&setup);
    let script = "echo changed > /etc-file; touch /new; rm -r /bin/echo; \
                  mkdir /tmp/x; cat /etc-file";
    assert_eq!(setup.run(&["--overlay", "--pid"], script), "changed\n");
    assert_eq!(fs::read(file).unwrap(), b"kept");
    assert_eq!(names(&setup), before);
}

fn names(setup: &Setup) -> Vec<std::ffi::OsString> {
    let dirs =
        [setup.bundle.rootfs().to_owned(), setup.bundle.rootfs().join("bin")];
    let entries = dirs.iter().flat_map(|dir| fs::read_dir(dir).unwrap());
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name()).collect();
    names.sort();
    names
}

#[test]
fn an_overlay_works_for_an_ordinary_user() {
    // From then on a tmpfs holds user.* attributes, in which the overlay of an
    // ordinary user notes what is deleted.
    if !requires(&[Need::Root, Need::Kernel(6, 6)]) {
        return;
    }
    let setup = Setup::new();
    let own = format!("chown -R {USER}:{USER} {}", setup.rootfs());
    let chown = Command::new("sh").args(["-c", &own]).status().unwrap();
    assert!(chown.success());
    let script = "rm -r /bin/echo && mkdir /bin/echo && touch /bin/echo/x && \
                  ls /bin/echo";
    let args = ["--overlay", "--", "/bin/sh", "-c", script];
    assert_eq!(text(as_user(&setup, &args)), "x\n");
    assert!(!setup.bundle.rootfs().join("bin/echo/x").exists());
}

/// Runs isolate(1) as an ordinary user, who cannot read where it was built.
fn as_user(setup: &Setup, args: &[&str]) -> Output {
    let program = setup.scratch.path().join("isolate");
    let mut cp = Command::new("cp");
    assert!(cp.arg(ISOLATE).arg(&program).status().unwrap().success());
    let mut command = Command::new(program);
    command.args(["--rootfs", &setup.rootfs()]).args(args);
    command.current_dir("/").uid(USER).gid(USER).output().unwrap()
}

#[test]
fn a_file_and_a_directory_of_the_host_are_there_where_they_were_asked_for() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let source = setup.source();
    let (dir, file) =
        (format!("{source}:/deep/dir"), format!("{source}/file:/f"));
    let script = "cat /f /deep/dir/file; echo written > /deep/dir/new";
    let options = ["--bind", &dir, "--bind", &file];
    assert_eq!(setup.run(&options, script), "from the hostfrom the host");
    let new = fs::read_to_string(format!("{source}/new")).unwrap();
    assert_eq!(new, "written\n");
}

#[test]
fn a_read_only_bind_is_so_with_what_is_mounted_below_it() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let script = "mkdir $D/below; mount -t tmpfs none $D/below\n\
                  $I --rootfs $R --bind $D:/x:ro /bin/sh -c \
                  'touch /x/1 /x/below/2 2>&1 | grep -c Read-only'";
    assert_eq!(setup.in_unshared(script), "2\n");
}

#[test]
fn a_read_only_root_is_so_with_what_is_mounted_below_it() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let script = "mkdir $R/below; mount -t tmpfs none $R/below\n\
                  $I --rootfs $R --read-only --tmpfs /t /bin/sh -c \
                  'touch /1 /below/2 2>&1 | grep -c Read-only; \
                  touch /t/3 /dev/4 && echo written'; touch $R/below/5";
    assert_eq!(setup.in_unshared(script), "2\nwritten\n");
}

#[test]
fn a_mount_point_behind_a_link_does_not_leave_the_root() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let source = setup.source();
    let victim = setup.scratch.path().join("victim");
    let up = "../".repeat(20);
    symlink(format!("{up}tmp"), setup.bundle.rootfs().join("up")).unwrap();
    symlink(&victim, setup.bundle.rootfs().join("out")).unwrap();
    let bind = format!("{source}:/up/dir");
    assert_eq!(setup.run(&["--bind", &bind], "ls /tmp/dir"), "file\n");
    // Inside, that path does not exist: it is made there.
    let bind = format!("{source}:/out/dir");
    assert_eq!(setup.run(&["--bind", &bind], "ls /out/dir"), "file\n");
    assert!(fs::read_dir(victim).unwrap().next().is_none());
}

#[test]
fn the_owner_of_an_idmapped_bind_is_root_inside_and_himself_on_disk() {
    // A tmpfs can be id-mapped from then on, and /tmp may be one.
    if !requires(&[Need::Root, Need::Kernel(6, 3)]) {
        return;
    }
    let setup = Setup::new();
    let source = setup.source();
    let bind = format!("{source}:/x:idmap");
    let script = "stat -c %u /x/file; echo > /x/new";
    for user in [&["--bind", &bind][..], &["--user", "--bind", &bind]] {
        assert_eq!(setup.run(user, script), "0\n");
    }
    for name in ["file", "new"] {
        let file = fs::metadata(format!("{source}/{name}")).unwrap();
        assert_eq!(file.uid(), USER);
    }
}

#[test]
fn what_cannot_be_idmapped_is_refused_by_the_name_of_its_file_system() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let rootfs = setup.rootfs();
    let bind = ["--bind", "/proc/sys:/x:idmap", "/bin/true"];
    let args = [&["--rootfs", &rootfs][..], &bind].concat();
    let message = refusal(&isolate(&args));
    assert!(message.contains("MOUNT_ATTR_IDMAP"), "{message}");
    assert!(message.contains("hint: a file system of proc"), "{message}");
    let message = refusal(&as_user(&setup, &bind));
    assert!(message.contains("only root of the machine"), "{message}");
}

#[test]
fn a_directory_in_memory_has_its_size_and_mode() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let script = "stat -c %a /x; head -c 100000 /dev/zero > /x/f 2>/dev/null; \
                  stat -c %s /x/f";
    let tmpfs = ["--tmpfs", "/x:size=64k,mode=750"];
    assert_eq!(setup.run(&tmpfs, script), "750\n65536\n");
}

#[test]
fn a_mount_inside_appears_outside_only_where_all_is_shared() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let script = |how: &str| {
        format!(
            "mkdir $D/m; $I --mount --propagation {how} -- sh -c \
             'mount -t tmpfs none $D/m; touch $D/m/seen'; ls $D/m"
        )
    };
    for (how, seen) in [
        ("private", ""),
        ("slave", ""),
        ("shared", "seen\n"),
        ("unchanged", "seen\n"),
    ] {
        assert_eq!(setup.in_unshared(&script(how)), seen, "{how}");
    }
}

#[test]
fn a_mount_outside_appears_inside_of_a_slave_and_not_of_a_private_one() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let script = |how: &str| {
        format!(
            "mkdir $D/m; mkfifo $D/ready $D/go\n\
             $I --rootfs $R --propagation {how} --bind $D:/d /bin/sh -c \
             'echo > /d/ready; read go < /d/go; ls /d/m' &\n\
             read ready < $D/ready; mount -t tmpfs none $D/m\n\
             touch $D/m/seen; echo > $D/go; wait"
        )
    };
    for (how, seen) in [("private", ""), ("slave", "seen\n")] {
        assert_eq!(setup.in_unshared(&script(how)), seen, "{how}");
    }
}

#[test]
fn options_that_would_do_nothing_or_harm_are_refused() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let rootfs = setup.rootfs();
    for (args, start) in [
        (&["--overlay"][..], "--overlay without --rootfs"),
        (&["--tmpfs", "/x"], "--tmpfs without --rootfs"),
        (&["--rootfs", &rootfs, "--propagation", "shared"], "--propagation: "),
        (&["--rootfs", &rootfs, "--bind", "/x"], "invalid value '/x'"),
        (&["--rootfs", &rootfs, "--bind", "/no:/x"], "realpath(\"/no\")"),
        (
            &["--rootfs", &rootfs, "--tmpfs", "/x:size=no"],
            "fsconfig(FS, FSCONFIG_SET_STRING, \"size\", \"no\", 0) = EINVAL",
        ),
    ] {
        let message = refusal(&isolate(&[args, &["/bin/true"]].concat()));
        let start = format!("isolate: {start}");
        assert!(message.starts_with(&start), "{message}");
    }
}
