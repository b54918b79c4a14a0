//! The examples say what they are there to show.

use namespaces::cgroup::Cgroup;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use testkit::{Need, requires};

fn output(example: &str) -> String {
    let output = Command::new(testkit::example(example)).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn uts_shows_two_host_names() {
    if !requires(&[Need::Root]) {
        return;
    }
    let ours = nix::unistd::gethostname();
    let expected = format!("child:  Ok(\"inside\")\nparent: {ours:?}\n");
    assert_eq!(output("uts"), expected);
}

#[test]
fn pid_shows_that_the_child_is_1_inside() {
    if !requires(&[Need::Root]) {
        return;
    }
    let text = output("pid");
    assert!(text.contains("child:  I am 1, my parent is 0\n"), "{text}");
    assert!(text.ends_with("parent: it ended: Exited(0)\n"), "{text}");
}

#[test]
fn mount_shows_a_file_that_only_the_child_sees() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let expected = "child:  /tmp/hello is there: true\n\
                    parent: /tmp/hello is there: false\n";
    assert_eq!(output("mount"), expected);
}

#[test]
fn user_shows_root_over_what_its_namespace_owns_and_nothing_else() {
    if !requires(&[Need::UserNamespaces]) {
        return;
    }
    let expected = format!(
        "child:  I am 0\n\
         child:  name the host: Err(EPERM)\n\
         child:  name my own: Ok(())\n\
         parent: I am {}\n",
        nix::unistd::getuid()
    );
    assert_eq!(output("user"), expected);
}

#[test]
fn ipc_shows_a_queue_that_only_the_child_can_open() {
    if !requires(&[Need::Root]) {
        return;
    }
    let expected = "child:  make /hello: Ok(())\n\
                    child:  open /hello: Ok(())\n\
                    parent: open /hello: Err(ENOENT)\n";
    assert_eq!(output("ipc"), expected);
}

#[test]
fn net_shows_one_device_that_is_down() {
    if !requires(&[Need::Root]) {
        return;
    }
    let text = output("net");
    let inside = "child:  devices [\"lo\"]\n\
                  child:  reaches 127.0.0.1: false\n";
    assert!(text.starts_with(inside), "{text}");
    assert!(text.ends_with("parent: reaches 127.0.0.1: true\n"), "{text}");
}

#[test]
fn cgroup_shows_one_cgroup_under_two_names() {
    if !requires(&[Need::Root]) {
        return;
    }
    let text = output("cgroup");
    let (before, after) = text.trim().split_once('\n').unwrap();
    assert!(before.starts_with("before: "), "{text}");
    assert!(before.contains("/example-"), "{text}");
    assert!(after.starts_with("after: ") && after.ends_with(":/"), "{text}");
}

#[test]
fn time_shows_a_machine_that_was_started_a_day_earlier() {
    if !requires(&[Need::Root]) {
        return;
    }
    let text = output("time");
    let days = |who: &str| -> u64 {
        let line = text.lines().find_map(|line| line.strip_prefix(who));
        line.unwrap().split(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(days("child:  up for "), days("parent: up for ") + 1);
    assert!(text.ends_with("parent: set it back: false\n"), "{text}");
}

#[test]
fn pidfd_shows_the_end_of_a_process_and_then_reaches_nobody() {
    let expected = "ended: false\n\
                    ended: true\n\
                    how: Signaled(15)\n\
                    again: Err(ESRCH)\n";
    assert_eq!(output("pidfd"), expected);
}

#[test]
fn into_cgroup_shows_a_child_that_is_born_where_it_works() {
    if !requires(&[Need::Root, Need::CgroupV2]) {
        return;
    }
    let text = output("into_cgroup");
    let (born, works) = text.trim().split_once('\n').unwrap();
    assert!(born.contains("/example-"), "{text}");
    assert_eq!(born.strip_prefix("born in"), works.strip_prefix("works in"));
}

#[test]
fn into_cgroup_shows_a_child_that_works_only_once_it_was_moved_on_v1() {
    if !requires(&[Need::Root, Need::CgroupV1]) {
        return;
    }
    // Where it is born depends on who is faster; that is what is wrong on v1.
    let text = output("into_cgroup");
    let (_, works) = text.trim().split_once('\n').unwrap();
    assert!(works.contains("/example-"), "{text}");
}

#[test]
fn escape_leaves_a_chroot_and_not_a_pivot_root() {
    if !requires(&[Need::Root]) {
        return;
    }
    let expected = "chroot: escaped: Ok(true)\n\
                    pivot_root: escaped: Ok(false)\n";
    assert_eq!(output("escape"), expected);
}

#[test]
fn oom_shows_the_news_before_the_end() {
    if !requires(&[Need::Root]) {
        return;
    }
    let expected = "news: true\nthe child: Signaled(9)\nkilled: 1\n";
    assert_eq!(output("oom"), expected);
}

#[test]
fn pressure_shows_that_two_wait_for_one_processor() {
    if !requires(&[Need::Root]) {
        return;
    }
    assert!(output("pressure").starts_with("news: true\nof the machine: "));
}

#[test]
fn overlay_shows_a_deleted_file_that_is_still_on_disk() {
    if !requires(&[Need::Root]) {
        return;
    }
    let expected = "child:  I read \"kept\"\n\
                    child:  the file is there: false\n\
                    parent: the file is there: true\n";
    assert_eq!(output("overlay"), expected);
}

#[test]
fn idmapped_shows_another_owner_and_leaves_the_disk_alone() {
    // A tmpfs can be id-mapped from then on, and /tmp may be one.
    if !requires(&[Need::Root, Need::Kernel(6, 3)]) {
        return;
    }
    let expected = "through the mount: old is 1000's\n\
                    on disk:           old is 0's\n\
                    root may create:   false\n";
    assert_eq!(output("idmapped"), expected);
}

#[test]
fn pivot_shows_both_roots_and_then_only_the_new_one() {
    if !requires(&[Need::Root]) {
        return;
    }
    let expected = "after pivot_root: ../etc is there: true\n\
                    after umount:     ../etc is there: false\n\
                    mounts that are left: 2\n\
                    result: Ok(())\n";
    assert_eq!(output("pivot"), expected);
}

#[test]
fn rounds_makes_containers_and_leaves_nothing_of_them() {
    if !requires(&[Need::Root]) {
        return;
    }
    let mounted = || {
        let all = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        all.lines().filter(|line| line.contains(" /mnt ")).count()
    };
    let before = mounted();
    let mut command = Command::new(testkit::example("rounds"));
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let name = format!("rounds-{}", process.id());
    // Closed at the end of the statement: there are no more lines.
    process.stdin.take().unwrap().write_all(b"2\n1\n").unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"done\ndone\n");
    let cgroup = Cgroup::open(Path::new(&name)).unwrap();
    assert!(cgroup.paths().iter().all(|dir| !dir.exists()));
    assert_eq!(mounted(), before);
}
