//! No kernel here has a security module that labels: what is written is asked of
//! the planning, and where, of the real /proc.

use super::*;
use serde_json::{Value, json};

fn process(fields: Value) -> Process {
    let mut process = json!({"user": {}, "cwd": "/", "args": ["true"]});
    let fields = fields.as_object().unwrap();
    process.as_object_mut().unwrap().extend(fields.clone());
    serde_json::from_value(process).unwrap()
}

#[test]
fn a_label_without_its_module_is_refused_by_its_field() {
    for (fields, error) in [
        (
            json!({"apparmorProfile": "box"}),
            "config.json: process.apparmorProfile: \"box\": this kernel runs \
             without AppArmor\nhint: ",
        ),
        (
            json!({"selinuxLabel": "a:b:c:s0"}),
            "config.json: process.selinuxLabel: \"a:b:c:s0\": this kernel \
             runs without SELinux\nhint: ",
        ),
    ] {
        let refused = plan_with(&process(fields), |_| false).unwrap_err();
        assert!(refused.to_string().starts_with(error), "{refused}");
    }
}

#[test]
fn nothing_is_asked_for_by_nothing_and_by_unconfined() {
    for fields in [
        json!({}),
        json!({"apparmorProfile": "", "selinuxLabel": ""}),
        json!({"apparmorProfile": "unconfined"}),
    ] {
        assert_eq!(plan_with(&process(fields), |_| false).unwrap(), []);
    }
}

#[test]
fn apparmor_is_told_by_a_command_and_selinux_by_the_label() {
    let fields = json!({"apparmorProfile": "box", "selinuxLabel": "a:b:c:s0"});
    let labels = plan_with(&process(fields), |_| true).unwrap();
    let texts: Vec<_> = labels.iter().map(Label::text).collect();
    assert_eq!(texts, ["exec box", "a:b:c:s0"]);
}

#[test]
fn the_file_of_the_module_is_preferred_to_the_one_that_all_share() {
    let proc = Proc::open(Path::new("/proc")).unwrap();
    // "comm" is there everywhere, and may be written.
    let (file, _) = proc.open_first(&["not/there", "self/comm"]).unwrap();
    assert_eq!(file, "self/comm");
    let (file, _) = proc.open_first(&["thread-self/comm", "no"]).unwrap();
    assert_eq!(file, "thread-self/comm");
}

#[test]
fn what_is_no_procfs_gets_no_label() {
    let error = Proc::open(Path::new("/")).unwrap_err().to_string();
    assert!(error.starts_with("\"/\" is not procfs"), "{error}");
}

#[test]
fn no_way_leads_from_proc_to_other_file_systems() {
    let proc = Proc::open(Path::new("/proc")).unwrap();
    for way in ["self/root/dev/null", "../dev/null", "self/fd/1"] {
        assert!(proc.open_first(&[way]).is_err(), "{way}");
    }
}
