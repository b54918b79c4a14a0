//! The names of the capabilities, as capabilities(7) and config.json spell them.

use super::Capabilities;

/// By their number, 0 first.
///
/// Source: include/uapi/linux/capability.h
#[rustfmt::skip]
pub(super) const NAMES: [&str; 41] = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
    "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
    "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
    "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT",
    "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
    "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON",
    "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
];

impl Capabilities {
    /// Gives the set of one capability, by its name. `None`: no such name.
    pub fn named(name: &str) -> Option<Self> {
        let number = NAMES.iter().position(|known| *known == name)?;
        Some(Self(1 << number))
    }

    /// Lists what is in the set by name; what a newer kernel has, by number.
    pub fn names(self) -> Vec<String> {
        let name = |number: u32| match NAMES.get(number as usize) {
            Some(name) => (*name).to_owned(),
            None => format!("CAP_{number}"),
        };
        self.iter().map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_all_of_it() {
        assert_eq!(Capabilities::named("CAP_KILL"), Some(Capabilities(1 << 5)));
        assert_eq!(Capabilities::named("KILL"), None);
    }

    #[test]
    fn names_have_the_kernels_numbers() {
        let set = Capabilities(1 | 1 << 21 | 1 << 40 | 1 << 50);
        let names = ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE"];
        assert_eq!(set.names(), [&names[..], &["CAP_50"]].concat());
    }
}
