//! User namespaces: what a container without root stands on, and what
//! distributions turn off.

use super::Finding;
use std::fs;
use std::path::Path;

/// The chapters that show containers without root.
const ROOTLESS: &[u8] = &[1, 2];

/// A switch under /proc/sys that can turn user namespaces off.
struct Switch {
    sysctl: &'static str,
    off: fn(u64) -> bool,
    /// The assignment that turns them on.
    on: &'static str,
    whose: &'static str,
}

const SWITCHES: &[Switch] = &[
    Switch {
        sysctl: "user.max_user_namespaces",
        off: |limit| limit == 0,
        on: "user.max_user_namespaces=15000",
        whose: "the kernel's limit",
    },
    Switch {
        sysctl: "kernel.unprivileged_userns_clone",
        off: |allowed| allowed == 0,
        on: "kernel.unprivileged_userns_clone=1",
        whose: "Debian's switch",
    },
    Switch {
        sysctl: "kernel.apparmor_restrict_unprivileged_userns",
        off: |restricted| restricted != 0,
        on: "kernel.apparmor_restrict_unprivileged_userns=0",
        whose: "Ubuntu's switch",
    },
];

/// Looks at every switch; those that this kernel does not have cannot be in the
/// way.
pub(super) fn settings() -> Vec<Finding> {
    if !Path::new("/proc/self/ns/user").exists() {
        let fix = "boot a kernel that has CONFIG_USER_NS=y";
        return vec![Finding::missing(
            "user namespaces in the kernel",
            fix,
            ROOTLESS,
        )];
    }
    let read = |switch: &Switch| {
        let path = format!("/proc/sys/{}", switch.sysctl.replace('.', "/"));
        fs::read_to_string(path).ok()?.trim().parse().ok()
    };
    let off = SWITCHES.iter().filter_map(|switch| judge(switch, read(switch)?));
    let off: Vec<_> = off.collect();
    if off.is_empty() {
        vec![Finding::fine("user namespaces, also without root")]
    } else {
        off
    }
}

fn judge(switch: &Switch, value: u64) -> Option<Finding> {
    let Switch { sysctl, off, on, whose } = switch;
    let what =
        format!("user namespaces without root: {sysctl} is {value} ({whose})");
    off(value).then(|| {
        Finding::missing(what, format!("sudo sysctl -w {on}"), ROOTLESS)
    })
}

#[cfg(test)]
mod tests {
    use super::{SWITCHES, judge};

    #[test]
    fn a_switch_that_is_off_is_missing_and_its_fix_turns_it_on() {
        for switch in SWITCHES {
            let (name, on) = switch.on.split_once('=').unwrap();
            assert_eq!(name, switch.sysctl);
            let on: u64 = on.parse().unwrap();
            assert_eq!(
                judge(switch, on),
                None,
                "{} still off after its fix",
                switch.sysctl
            );
            let off = if on == 0 { 1 } else { 0 };
            let finding = judge(switch, off).unwrap();
            assert!(finding.shown().contains(switch.on), "{}", finding.shown());
        }
    }
}
