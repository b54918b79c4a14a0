//! `imageless spec`: the text that it writes, and that runc runs it.

use crate::maker::Maker;
use std::fs;
use testkit::{Need, requires};

#[test]
fn the_default_configuration() {
    let maker = Maker::new();
    let output = maker.imageless(&["spec"]);
    assert!(output.status.success() && output.stderr.is_empty());
    insta::assert_snapshot!("default", read(&maker, "config.json"));
}

#[test]
fn the_rootless_configuration_differs_by_these_lines() {
    let maker = Maker::new();
    fs::create_dir(maker.path("b")).expect("scratch is ours");
    maker.imageless(&["spec"]);
    maker.imageless(&["spec", "--rootless", "--bundle", "b"]);
    // diff exits with 1 if there are differences.
    let script = "diff -U1 config.json b/config.json | tail -n +3";
    let uid = maker.output("id", &["-u"]);
    let own_id = format!("\"hostID\": {}", uid.trim());
    let diff = maker.output("sh", &["-c", script]);
    let diff = diff.replace(&own_id, "\"hostID\": [own id]");
    insta::assert_snapshot!("rootless", diff);
}

#[test]
fn two_configurations_are_the_same_text() {
    let maker = Maker::new();
    maker.imageless(&["spec"]);
    for round in 0..8 {
        let name = format!("b{round}");
        fs::create_dir(maker.path(&name)).expect("scratch is ours");
        maker.imageless(&["spec", "-b", &name]);
        let text = read(&maker, &format!("{name}/config.json"));
        assert_eq!(text, read(&maker, "config.json"));
    }
}

#[test]
fn a_configuration_that_exists_is_not_overwritten() {
    let maker = Maker::new();
    fs::write(maker.path("config.json"), "mine").expect("scratch is ours");
    let part = "EEXIST: File exists\nhint: edit it, or remove it first";
    maker.refuses(&["spec"], "imageless: spec: open(", part);
    assert_eq!(read(&maker, "config.json"), "mine");
}

#[test]
fn a_directory_that_is_missing_is_named() {
    let maker = Maker::new();
    let args = ["spec", "--bundle", "no/such"];
    maker.refuses(&args, "imageless: spec: open(\"no/such/", "ENOENT");
}

#[test]
fn a_full_disk_keeps_no_half_of_a_configuration() {
    if !requires(&[Need::Root]) {
        return;
    }
    let maker = Maker::new();
    let script = format!(
        "mkdir small && mount -t tmpfs -o size=4k small small && cd small &&
         echo full > disk && ! {} spec 2>&1 && ls -A",
        env!("CARGO_BIN_EXE_imageless"),
    );
    let output = maker.output("unshare", &["--mount", "sh", "-c", &script]);
    let lines: Vec<_> = output.lines().collect();
    assert!(lines[0].contains("ENOSPC"), "{output}");
    assert_eq!(lines[1..], ["disk"]);
}

fn read(maker: &Maker, name: &str) -> String {
    fs::read_to_string(maker.path(name)).expect("it has been written")
}
