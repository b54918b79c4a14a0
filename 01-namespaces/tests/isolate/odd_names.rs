//! Names that are no text. A path and the name of a process are bytes, and one
//! of them somewhere on the machine must not stop those who have nothing to do
//! with it.

use crate::enter::Place;
use crate::run::{ISOLATE, stdout, text};
use serde_json::Value;
use std::process::Command;
use testkit::{Need, Scratch, requires};

/// A shell line that mounts a tmpfs at a path that is not UTF-8, has a quote
/// and a newline in it, and leaves it in `$odd`.
fn odd_mount(scratch: &Scratch) -> String {
    let dir = scratch.path().display();
    format!(
        "odd=$(printf '{dir}/\\377\"\\nx'); mkdir \"$odd\"; \
         mount -t tmpfs none \"$odd\""
    )
}

/// Runs a shell line in a mount namespace of its own; `$0` is isolate(1).
fn apart(script: &str) -> String {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "sh", "-e", "-c", script, ISOLATE]);
    text(unshare.output().unwrap())
}

#[test]
fn a_mount_point_that_is_no_text_disturbs_no_limit() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let mount = odd_mount(&scratch);
    let ran = apart(&format!("{mount}; $0 --pids 9 -- echo ran"));
    assert_eq!(ran, "ran\n");
}

#[test]
fn a_pin_whose_name_is_no_text_is_let_go_again() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let mount = odd_mount(&scratch);
    let script = "cd \"$odd\"; box=$(printf 'b\\376'); $0 pin -u \"$box\"; \
                  $0 enter \"$box\" -- echo inside; $0 unpin \"$box\"; ls";
    assert_eq!(apart(&format!("{mount}; {script}")), "inside\n");
}

#[test]
fn what_is_no_text_is_still_told_and_still_json() {
    if !requires(&[Need::Root]) {
        return;
    }
    let scratch = Scratch::new();
    let script = "cd \"$odd\"; printf 'n\\377\"' > /proc/$$/comm";
    let script = format!("{}; {script}", odd_mount(&scratch));
    let place = Place::start(&["-mu"], &script);
    let said = stdout(&["inspect", "--json", &place.pid]);
    let told: &Value = &serde_json::from_str::<Value>(&said).unwrap()[0];
    assert_eq!(told["name"], "n\u{fffd}\"");
    let odd = format!("{}/\u{fffd}\"\nx", scratch.path().display());
    assert_eq!(told["working_directory"], odd);
    let mounts = told["mounts"].as_array().unwrap();
    assert!(mounts.iter().any(|mount| mount["target"] == odd), "{mounts:?}");
    // It counts as a member like any other, and is named.
    let page = stdout(&["inspect", &place.pid]);
    let member = format!(" {} n\u{fffd}\"", place.pid);
    assert!(page.contains(&member), "{page}");
    place.finish();
}
