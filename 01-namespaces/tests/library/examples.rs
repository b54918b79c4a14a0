//! The examples say what they are there to show.

use std::process::Command;
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
fn escape_leaves_a_chroot_and_not_a_pivot_root() {
    if !requires(&[Need::Root]) {
        return;
    }
    let expected = "chroot: escaped: Ok(true)\n\
                    pivot_root: escaped: Ok(false)\n";
    assert_eq!(output("escape"), expected);
}
