//! What people type wrong: one clear complaint, an exit code that is not 0,
//! and nothing half-made.

mod daemon;

use std::process::Command;

use daemon::Conmand;
use testkit::{Need, Scratch, requires, runtimes};

#[test]
fn a_run_that_cannot_be_is_refused_and_leaves_nothing() {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    let scratch = Scratch::new();
    let conmand = Conmand::start(&scratch, &runtimes()[1]);
    let image = conmand.image();
    let long = "x".repeat(65);
    let very_long = "x".repeat(1025);
    let cases: [(&[&str], &str); 13] = [
        (&["--name", "a/b", &image, "true"], "has a '/' in it"),
        (&["--name", "..", &image, "true"], "means a directory"),
        (&["--name", "a\nb", &image, "true"], "has a control character"),
        (&["--name", &very_long, &image, "true"], "has over 1024 bytes"),
        (&["busybox", "true"], "images are not supported yet"),
        (&["rootfs:etc", "true"], "the path is not absolute"),
        (&["rootfs:/no/where", "true"], "ENOENT"),
        (&["rootfs:/etc/passwd", "true"], "not a directory"),
        (&[&image, "bahs"], "bahs"),
        (&[&image, ""], "command[0] is an empty string"),
        (&["--runtime", "kata", &image, "true"], "no such runtime"),
        (&["-w", "tmp", &image, "true"], "not an absolute path"),
        (&["--hostname", &long, &image, "true"], "at most 64 bytes"),
    ];
    for (args, why) in cases {
        let words = conmand.refused(&[&["run"], args].concat());
        assert!(
            words.starts_with("conman: ") && words.contains(why),
            "{words}"
        );
        assert_eq!(words.matches("conman: ").count(), 1, "{words}");
    }
    conmand.demand_nothing_left(&[]);
}

#[test]
fn a_name_that_is_taken_is_refused_and_its_holder_goes_on() {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    let scratch = Scratch::new();
    let conmand = Conmand::start(&scratch, &runtimes()[1]);
    let id = conmand.run_detached(&["--name", "web"], "sleep 1000");
    let again = ["run", "--name", "web", &conmand.image(), "true"];
    assert!(conmand.refused(&again).contains("is in use by"));
    assert_eq!(conmand.state(&id).0, "RUNNING");
    conmand.ok(&["rm", "-f", "web"]);
}

#[test]
fn ids_that_fit_none_or_several_are_refused() {
    if !requires(&[Need::Root, Need::Program("runc")]) {
        return;
    }
    let scratch = Scratch::new();
    let conmand = Conmand::start(&scratch, &runtimes()[1]);
    for verb in ["logs", "stop", "rm", "inspect"] {
        for id in ["nobody", "", "../../etc", &"a".repeat(2000)] {
            let words = conmand.refused(&[verb, id]);
            assert!(words.starts_with("conman: no container"), "{words}");
        }
    }
}

#[test]
fn without_a_daemon_the_way_to_one_is_told() {
    let conman = Command::new(env!("CARGO_BIN_EXE_conman"))
        .args(["--socket", "/no/conman.sock", "ps"])
        .output()
        .unwrap();
    assert_eq!(conman.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&conman.stderr),
        "conman: connect(\"/no/conman.sock\") = ENOENT: \
         No such file or directory\n\
         hint: start one: conmand --socket /no/conman.sock\n"
    );
}
