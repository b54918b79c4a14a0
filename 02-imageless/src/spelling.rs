//! Words of the runtime-spec that the crate `oci-spec` spells otherwise, so that
//! a right configuration would be refused.

use serde_json::Value;

/// The specification's word, and what the crate takes for it.
///
/// Source: runtime-spec: config.md, "Linux Process", `scheduler`
const FLAGS: [(&str, &str); 2] = [
    ("SCHED_FLAG_RESET_ON_FORK", "SCHED_RESET_ON_FORK"),
    ("SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_D_L_OVERRUN"),
];

/// Spells a configuration, or a process of one, as the crate takes it.
pub(crate) fn respell(json: &mut Value) {
    for process in ["/process", ""] {
        let flags = format!("{process}/scheduler/flags");
        let flags = json.pointer_mut(&flags).and_then(Value::as_array_mut);
        flags.into_iter().flatten().for_each(respell_flag);
        let affinity = format!("{process}/execCPUAffinity");
        let affinity = json.pointer_mut(&affinity);
        if let Some(lists) = affinity.and_then(Value::as_object_mut) {
            // "Omitted or empty" is one; the crate takes the first only.
            lists.retain(|_, list| list != "");
        }
    }
}

fn respell_flag(flag: &mut Value) {
    if let Some((_, crates)) = FLAGS.iter().find(|(ours, _)| flag == ours) {
        *flag = Value::from(*crates);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::runtime::Process;
    use serde_json::json;

    #[test]
    fn the_crate_takes_what_was_respelled_and_not_what_was_written() {
        let mut json = json!({
            "user": {}, "cwd": "/", "execCPUAffinity": {"final": ""},
            "scheduler": {"policy": "SCHED_OTHER", "flags":
                ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_DL_OVERRUN"]}
        });
        assert!(serde_json::from_value::<Process>(json.clone()).is_err());
        respell(&mut json);
        serde_json::from_value::<Process>(json).unwrap();
    }

    #[test]
    fn what_is_spelled_alike_is_left_alone() {
        let json = json!({"process": {"execCPUAffinity": {"final": "0"}}});
        let mut respelled = json.clone();
        respell(&mut respelled);
        assert_eq!(respelled, json);
    }
}
