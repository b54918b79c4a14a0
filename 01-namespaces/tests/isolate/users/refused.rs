//! What is refused, and the way out that is told.

use super::machine::{Machine, NEEDS, machine};
use testkit::requires;

#[test]
fn without_subordinate_ids_the_hint_grants_some() {
    if !requires(&NEEDS) {
        return;
    }
    let machine = Machine::new("bob:100000:65536\n", "");
    let text = machine.refusal("isolate --map-auto -- true");
    assert!(
        text.contains(r#"read("/etc/subuid") for ann = ENODATA"#),
        "{text}"
    );
    let hint = "usermod --add-subuids 165536-231071 ann";
    assert!(text.contains(hint), "{text}");
}

#[test]
fn a_malformed_line_of_the_user_is_named() {
    if !requires(&NEEDS) {
        return;
    }
    let machine = Machine::new("bob:1:1\nann:many:1\n", "");
    let text = machine.refusal("isolate --map-auto -- true");
    assert!(text.contains(r#"/etc/subuid:2: "ann:many:1""#), "{text}");
}

#[test]
fn without_newuidmap_the_hint_names_its_package() {
    if !requires(&NEEDS) {
        return;
    }
    let machine = machine();
    let text =
        machine.refusal("PATH=${PATH%%:*} isolate --map-auto -- /bin/true");
    assert!(text.contains(r#"execve("newuidmap", ..) = ENOENT"#), "{text}");
    assert!(text.contains("apt install uidmap"), "{text}");
}

#[test]
fn what_newuidmap_refuses_is_told_in_its_words() {
    if !requires(&NEEDS) {
        return;
    }
    let text = machine().refusal("isolate --map-users 0:7:5 -- echo ran");
    assert!(text.contains("0 7 5 = EPERM"), "{text}");
    assert!(text.contains("hint: newuidmap: uid range"), "{text}");
}

#[test]
fn an_impossible_map_is_refused_by_its_line() {
    if !requires(&NEEDS) {
        return;
    }
    let machine = machine();
    let overlap = "isolate --map-users 0:7:5 --map-users 4:200000:1 -- true";
    let text = machine.refusal(overlap);
    assert!(text.contains(r#""0 7 5" and "4 200000 1" overlap"#), "{text}");
    let beyond = machine.refusal("isolate --map-users 0:4294967295:1 -- true");
    assert!(beyond.contains("beyond the id 4294967294"), "{beyond}");
}

#[test]
fn an_id_outside_of_the_map_is_refused() {
    if !requires(&NEEDS) {
        return;
    }
    let text = machine().refusal("isolate -U --setuid 7 -- true");
    assert!(text.contains("--setuid 7: the map has no such id"), "{text}");
}

#[test]
fn where_user_namespaces_are_forbidden_the_setting_is_named() {
    if !requires(&NEEDS) {
        return;
    }
    // The limit of a user namespace holds for those below it, so we need not
    // touch the machine's.
    let forbid = "unshare -r sh -c \
        'echo 0 >/proc/sys/user/max_user_namespaces; isolate -U -- true'";
    let text = machine().refusal(forbid);
    assert!(text.contains("clone3(CLONE_NEWUSER) = ENOSPC"), "{text}");
    let hint = "hint: /proc/sys/user/max_user_namespaces is 0";
    assert!(text.contains(hint), "{text}");
}
