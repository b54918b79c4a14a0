//! `imageless bundle`: what is in a bundle, and that it runs. Each claim holds
//! on runc before it is asked of ours.

use crate::maker::{Maker, text};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use testkit::{Need, requires};

const RUNC: [Need; 2] = [Need::Root, Need::Program("runc")];

#[test]
fn a_static_program_is_alone_in_its_bundle_and_runs() {
    if !requires(&RUNC) {
        return;
    }
    let maker = Maker::new();
    fs::write(maker.path("p.rs"), r#"fn main() { println!("alone") }"#)
        .expect("the scratch directory is writable");
    let flags = ["-O", "-Ctarget-feature=+crt-static", "-Cstrip=symbols"];
    maker.output("rustc", &[&flags[..], &["p.rs"]].concat());
    let bundle = maker.bundle(&["./p"]);
    let files = maker.tree(&bundle.join("rootfs"));
    let files: Vec<_> =
        files.iter().filter(|line| line.contains(" f ")).collect();
    assert_eq!(files, ["etc/group f 644", "etc/passwd f 644", "p f 755"]);
    maker.prints(&bundle, "alone\n");
}

#[test]
fn a_dynamic_program_brings_its_libraries() {
    if !requires(&RUNC) {
        return;
    }
    let maker = Maker::new();
    let hello = testkit::example("hello");
    let bundle = maker.bundle(&[text(&hello), "--hostname", "HAL-9000"]);
    maker.prints(&bundle, "hello from HAL-9000: I am process 1, user 0\n");
}

#[test]
fn a_program_of_the_system_is_where_it_always_is() {
    if !requires(&RUNC) {
        return;
    }
    let maker = Maker::new();
    let bundle =
        maker.bundle(&["/bin/ls", "--", "ls", "-1", "/bin/ls", "/tmp"]);
    maker.prints(&bundle, "/bin/ls\n\n/tmp:\n");
}

#[test]
fn several_programs_share_a_bundle() {
    if !requires(&RUNC) {
        return;
    }
    let maker = Maker::new();
    let script = "echo $0 $$; cat /etc/group; echo $MOOD";
    let bundle = maker.bundle(&[
        "bash",
        "cat",
        "--env",
        "MOOD=fine",
        "--",
        "bash",
        "-c",
        script,
    ]);
    maker.prints(&bundle, "bash 1\nroot:x:0:\nfine\n");
}

#[test]
fn a_script_brings_its_interpreter_and_the_program_behind_env() {
    if !requires(&RUNC) {
        return;
    }
    let maker = Maker::new();
    write_program(&maker.path("a.sh"), "#!/usr/bin/env bash\necho $0\n");
    let bundle = maker.bundle(&["./a.sh"]);
    maker.prints(&bundle, "/a.sh\n");
}

#[test]
fn a_running_container_adds_nothing_to_its_rootfs() {
    if !requires(&RUNC) {
        return;
    }
    let maker = Maker::new();
    let bundle = maker.bundle(&["true"]);
    let before = maker.tree(&bundle);
    maker.prints(&bundle, "");
    assert_eq!(maker.tree(&bundle), before);
}

#[test]
fn every_user_of_the_container_may_write_to_tmp() {
    let maker = Maker::new();
    let tree = maker.tree(&maker.bundle(&["true"]).join("rootfs"));
    assert!(tree.contains(&"tmp d 1777".to_owned()), "{tree:?}");
}

#[test]
fn a_rootless_bundle_has_a_user_namespace() {
    if !requires(&RUNC) {
        return;
    }
    let maker = Maker::new();
    let words = ["cat", "--rootless", "--", "cat", "/proc/self/uid_map"];
    let bundle = maker.bundle(&words);
    for runtime in testkit::runtimes() {
        let map = maker.run(&runtime, &bundle);
        let ids: Vec<_> = map.split_whitespace().collect();
        assert_eq!(ids, ["0", "0", "1"], "on {}", runtime.name);
    }
}

#[test]
fn crun_accepts_the_same_bundle() {
    if !requires(&[Need::Root, Need::Program("crun")]) {
        return;
    }
    let maker = Maker::new();
    let bundle = maker.bundle(&["echo", "--", "echo", "hi"]);
    assert_eq!(maker.run(&testkit::crun(&maker.scratch), &bundle), "hi\n");
}

#[test]
fn a_set_user_id_bit_stays_behind_and_the_other_bits_do_not() {
    let maker = Maker::new();
    let program = maker.path("su");
    fs::copy("/bin/true", &program).expect("coreutils are installed");
    fs::set_permissions(&program, PermissionsExt::from_mode(0o6750))
        .expect("the file is ours");
    let copy = maker.bundle(&[text(&program)]).join("rootfs/su");
    let mode = copy.metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o7777, 0o750);
}

#[test]
fn symbolic_links_on_the_way_to_a_program_are_made_again() {
    let maker = Maker::new();
    let rootfs = maker.bundle(&["/bin/sh"]).join("rootfs");
    for link in ["bin", "bin/sh", "lib64"] {
        let outside = fs::read_link(Path::new("/").join(link)).ok();
        assert_eq!(fs::read_link(rootfs.join(link)).ok(), outside, "{link}");
    }
}

#[test]
fn a_copy_may_have_a_path_of_its_own() {
    let maker = Maker::new();
    fs::create_dir_all(maker.path("data/empty")).expect("scratch is ours");
    fs::write(maker.path("data/file"), "x").expect("scratch is ours");
    let bundle = maker.bundle(&["true", "--copy", "data:/srv/data"]);
    let tree = maker.tree(&bundle.join("rootfs/srv"));
    assert_eq!(
        tree,
        [" d 755", "data d 755", "data/empty d 755", "data/file f 644"]
    );
}

/// The link in the rootfs leads to a file of this machine, as
/// `/usr/bin/awk -> /etc/alternatives/awk` does.
#[test]
fn nothing_is_written_through_a_link_of_the_rootfs() {
    if !requires(&[Need::Root]) {
        return;
    }
    let maker = Maker::new();
    let victim = maker.path("victim");
    fs::write(&victim, "mine").expect("scratch is ours");
    fs::write(maker.path("other"), "other").expect("scratch is ours");
    let script = format!(
        "mount -t tmpfs opt /opt && ln -s {} /opt/link &&
         ! {} bundle true --copy /opt/link --copy other:/opt/link 2>&1",
        victim.display(),
        env!("CARGO_BIN_EXE_imageless"),
    );
    let output = maker.output("unshare", &["--mount", "sh", "-c", &script]);
    assert!(output.contains("EEXIST: File exists"), "{output}");
    assert_eq!(fs::read_to_string(&victim).ok().as_deref(), Some("mine"));
}

fn write_program(path: &Path, contents: &str) {
    fs::write(path, contents).expect("the scratch directory is writable");
    fs::set_permissions(path, PermissionsExt::from_mode(0o755))
        .expect("the file is ours");
}
