//! A directory becomes `/`, and nothing in it leads out of it.

use crate::run::{isolate, refusal, stdout};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Output};
use testkit::{Bundle, Need, Scratch, requires};

/// Runs isolate(1) with a descriptor as a shell redirects it.
fn redirected(rootfs: &str, redirection: &str) -> Output {
    let run = format!("\"$0\" --rootfs {rootfs} echo ran {redirection}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &run, crate::run::ISOLATE]).output().unwrap()
}

/// A root file system, and a directory of the host that must stay empty.
pub(crate) struct Setup {
    pub(crate) scratch: Scratch,
    pub(crate) bundle: Bundle,
}

impl Setup {
    pub(crate) fn new() -> Self {
        let scratch = Scratch::new();
        let bundle = Bundle::busybox(&scratch, "c", &["true"]);
        fs::create_dir(scratch.path().join("victim")).unwrap();
        Self { scratch, bundle }
    }

    pub(crate) fn rootfs(&self) -> String {
        self.bundle.rootfs().to_str().unwrap().to_owned()
    }

    pub(crate) fn run(&self, options: &[&str], script: &str) -> String {
        let rootfs = self.rootfs();
        let tail = ["--rootfs", &rootfs, "--", "/bin/sh", "-c", script];
        stdout(&[options, &tail].concat())
    }

    fn refuses(&self) -> String {
        let rootfs = self.rootfs();
        refusal(&isolate(&["--rootfs", &rootfs, "--pid", "/bin/echo", "ran"]))
    }

    /// Puts a symlink to `target` in the place of a directory of the root.
    fn replace_by_link(&self, name: &str, target: &str) {
        let path = self.bundle.rootfs().join(name);
        fs::remove_dir(&path).unwrap();
        symlink(target, path).unwrap();
    }

    fn victim(&self) -> String {
        self.scratch.path().join("victim").to_str().unwrap().to_owned()
    }

    fn victim_is_untouched(&self) -> bool {
        fs::read_dir(self.victim()).unwrap().next().is_none()
    }
}

#[test]
fn the_directory_is_the_root_and_the_host_is_out_of_reach() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let host = setup.scratch.path().display();
    let script = format!("ls -d {host} /proc/1/root{host} 2>/dev/null; pwd");
    assert_eq!(setup.run(&["--pid"], &script), "/\n");
    let script = "cut -d' ' -f5 /proc/self/mountinfo";
    let mount_points = setup.run(&["--pid"], script);
    assert!(mount_points.starts_with("/\n/proc\n/dev\n"), "{mount_points}");
}

#[test]
fn a_plan_ends_with_the_pivot_and_the_command() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let plan =
        stdout(&["--plan", "--rootfs", &setup.rootfs(), "--", "sh", "-l"]);
    let calls = [
        r#"child:  pivot_root(".", ".")"#,
        r#"child:  umount2(".", MNT_DETACH)"#,
        r#"child:  execve("sh", ["sh", "-l"], ..)"#,
    ];
    assert!(plan.contains(&calls.join("\n")), "{plan}");
}

#[test]
fn the_kernel_s_file_systems_are_there_with_and_without_a_user_namespace() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let script = "stat -f -c %T /proc /sys /dev /dev/pts | tr '\\n' ' '";
    for options in [&["--pid"][..], &["--pid", "--net", "--ipc", "--user"]] {
        let types = setup.run(options, script);
        assert_eq!(types, "proc sysfs tmpfs devpts ", "{options:?}");
    }
}

#[test]
fn no_default_mount_gives_rights_and_only_dev_has_devices() {
    if !requires(&[Need::Root]) {
        return;
    }
    let script = "awk '$2 != \"/\" {print $2, $3, $4}' /proc/mounts";
    let mounts = Setup::new().run(&["--pid", "--net", "--ipc"], script);
    for (mount, options) in [
        ("/proc proc ", "rw,nosuid,nodev,noexec"),
        ("/dev tmpfs ", "rw,nosuid"),
        ("/dev/pts devpts ", "rw,nosuid,noexec"),
        ("/dev/shm tmpfs ", "rw,nosuid,nodev,noexec"),
        ("/dev/mqueue mqueue ", "rw,nosuid,nodev,noexec"),
        ("/sys sysfs ", "ro,nosuid,nodev,noexec"),
    ] {
        let start = format!("{mount}{options},");
        let first = mounts.lines().find(|line| line.starts_with(mount));
        let first = first.unwrap_or_else(|| panic!("no {mount}in {mounts}"));
        assert!(format!("{first},").starts_with(&start), "{first}");
    }
}

#[test]
fn the_devices_are_the_kernel_s_and_open_to_all_whatever_the_umask() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let script = "stat -c '%F %t:%T %a' /dev/null /dev/urandom /dev/tty";
    let run = format!(
        r#"umask 077; "$0" --rootfs {} /bin/sh -c "{script}""#,
        setup.rootfs()
    );
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", &run, crate::run::ISOLATE]);
    let devices = crate::run::text(shell.output().unwrap());
    let kind = "character special file";
    let expected = format!("{kind} 1:3 666\n{kind} 1:9 666\n{kind} 5:0 666\n");
    assert_eq!(devices, expected);
}

#[test]
fn what_tells_of_the_host_is_hidden_and_what_acts_on_it_read_only() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let script = "cat /proc/timer_list | wc -c; ls /sys/firmware | wc -l; \
                  for f in /proc/sys/kernel/panic /sys/x; \
                  do (echo h > $f) 2>&1 | grep -c 'Read-only'; done";
    assert_eq!(setup.run(&["--pid"], script), "0\n0\n1\n1\n");
}

#[test]
fn the_host_s_cgroups_are_read_only_where_sys_has_to_come_from_the_host() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let script = "cd /sys/fs/cgroup; for dir in . */; do \
                  test ! -d $dir || mkdir $dir/x 2>&1 | grep -q Read-only || \
                  echo $dir; done";
    assert_eq!(setup.run(&["--user"], script), "");
}

#[test]
fn a_link_in_the_place_of_proc_is_refused() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    setup.replace_by_link("proc", "/run");
    let text = setup.refuses();
    assert!(text.contains("= ELOOP"), "{text}");
    assert!(text.contains("hint: "), "{text}");
}

#[test]
fn a_link_as_mount_point_does_not_leave_the_root() {
    if !requires(&[Need::Root]) {
        return;
    }
    let up = "../".repeat(20);
    for way in ["", up.as_str()] {
        let setup = Setup::new();
        setup.replace_by_link("dev", &format!("{way}{}", setup.victim()));
        setup.refuses();
        assert!(setup.victim_is_untouched());
    }
}

#[test]
fn a_link_in_the_place_of_dev_is_refused_wherever_it_leads() {
    if !requires(&[Need::Root]) {
        return;
    }
    for target in ["/run", "proc/self", "/proc"] {
        let setup = Setup::new();
        setup.replace_by_link("dev", target);
        let text = setup.refuses();
        assert!(text.contains("\"/dev\", RESOLVE_IN_ROOT) = "), "{text}");
        assert!(!setup.bundle.rootfs().join("run/null").exists());
    }
}

#[test]
fn a_root_that_is_no_directory_is_refused() {
    if !requires(&[Need::Root]) {
        return;
    }
    for (root, errno) in
        [("/no/such/dir", "ENOENT"), ("/etc/passwd", "ENOTDIR")]
    {
        let text = refusal(&isolate(&["--rootfs", root, "--", "true"]));
        assert!(text.contains(root) && text.contains(errno), "{text}");
    }
}

#[test]
fn a_way_out_on_a_standard_descriptor_is_refused() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    let rootfs = setup.rootfs();
    for (redirection, name) in [("0</", "input"), ("1</", "output")] {
        let text = refusal(&redirected(&rootfs, redirection));
        let expected = format!("isolate: standard {name} is a directory: ");
        assert!(text.starts_with(&expected), "{text}");
    }
    let text = refusal(&redirected(&rootfs, "0</proc/self/ns/mnt"));
    assert!(text.contains("standard input is a namespace"), "{text}");
    // Nobody can read why, but the command does not run.
    refusal(&redirected(&rootfs, "2</"));
}

#[test]
fn a_namespace_as_descriptor_leads_out_of_a_chroot() {
    if !requires(&[Need::Root]) {
        return;
    }
    let setup = Setup::new();
    // Why it is refused: the same without isolate(1).
    let script = format!(
        "mount -t proc proc {root}/proc && chroot {root} /bin/busybox \
         nsenter --mount=/proc/self/fd/0 ls -d {host}",
        root = setup.rootfs(),
        host = setup.victim()
    );
    let run = "exec unshare --mount sh -c \"$0\" </proc/self/ns/mnt";
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", run, &script]).output().unwrap();
    assert_eq!(crate::run::text(output).trim_end(), setup.victim());
}
