//! The busybox bundle has to run on every runtime, or suites would judge the
//! bundle instead of the runtime.

use std::process::Command;

use testkit::{
    Bundle, Need, RuntimeUnderTest, Scratch, crun, find_program, requires,
};

fn runs_on(runtime: &RuntimeUnderTest, scratch: &Scratch) {
    let bundle = Bundle::busybox(
        scratch,
        &runtime.name,
        &["sh", "-c", "echo hi from $$; exit 7"],
    );
    let mut run = Command::new(&runtime.program);
    run.arg("--root").arg(scratch.state_root()).args(["run", "--bundle"]);
    let output = run
        .arg(bundle.path())
        .arg(bundle.id())
        .output()
        .expect("the runtime starts");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "hi from 1\n",
        "{output:?}"
    );
    assert_eq!(output.status.code(), Some(7));
}

#[test]
fn a_busybox_bundle_runs_on_runc() {
    if requires(&[Need::Root, Need::Program("runc")]) {
        let program = find_program("runc").unwrap();
        runs_on(
            &RuntimeUnderTest { name: "runc".to_owned(), program },
            &Scratch::new(),
        );
    }
}

#[test]
fn a_busybox_bundle_runs_on_crun() {
    if requires(&[Need::Root, Need::Program("crun")]) {
        let scratch = Scratch::new();
        runs_on(&crun(&scratch), &scratch);
    }
}
