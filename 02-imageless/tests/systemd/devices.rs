//! Rules for devices, shown by what a program in the container may open.

use super::machine::Machine;
use serde_json::json;
use std::fs;

/// Allows of the kernel's log, 1:11, only writing; of another device both, by a
/// rule for each.
pub(crate) fn allow_some(machine: &Machine) {
    let minor = minor_of("cpu_dma_latency");
    machine.set_resources(json!({"devices": [
        {"allow": false, "access": "rwm"},
        {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "w"},
        {"allow": true, "type": "c", "major": 10, "minor": minor, "access": "r"},
        {"allow": true, "type": "c", "major": 10, "minor": minor, "access": "w"},
    ]}));
    let make = format!(
        "mknod /tmp/kmsg c 1 11; mknod /tmp/both c 10 {minor}; exec sleep 60"
    );
    let args = ["sh", "-c", &make].map(str::to_owned);
    let sets = json!(["CAP_MKNOD"]);
    let sets = json!({"bounding": sets, "permitted": sets, "effective": sets});
    let sets = serde_json::from_value(sets).expect("capabilities");
    machine.bundle.edit(|spec| {
        let process = spec.process_mut().as_mut().expect("there is one");
        process.set_args(Some(args.into())).set_capabilities(Some(sets));
    });
}

/// Opens them in the container `id`.
pub(crate) fn check(machine: &Machine, id: &str) {
    let open = "(: </tmp/kmsg) 2>&1
        : >/tmp/kmsg && echo written
        : <>/tmp/both && echo both
        : >/dev/null && echo default";
    let (succeeded, said) = machine.call(&["exec", id, "sh", "-c", open]);
    let expected = "sh: can't open /tmp/kmsg: Operation not permitted\n\
                    written\nboth\ndefault\n";
    assert_eq!((succeeded, &*said), (true, expected));
}

/// Finds a device that every kernel has, but not with the same number.
fn minor_of(name: &str) -> u32 {
    let list = fs::read_to_string("/proc/misc").expect("/proc is mounted");
    let mut lines = list.lines().map(str::split_whitespace);
    let minor = lines.find_map(|mut words| {
        let minor = words.next()?;
        (words.next() == Some(name)).then(|| minor.to_owned())
    });
    let minor = minor.and_then(|minor| minor.parse().ok());
    minor.expect("a device of that name")
}
