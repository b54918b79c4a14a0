//! Why an ordinary user is refused a user namespace. Three settings of the
//! kernel can forbid it, each in its own way; the one that is to blame is named
//! together with its remedy.

use nix::errno::Errno;
use std::fs::read_to_string;

/// A setting, and what it does to a user namespace.
struct Setting {
    /// Its name for sysctl(8), and its file.
    name: &'static str,
    file: &'static str,
    /// The value that forbids.
    forbids: &'static str,
    /// What the kernel then answers.
    errnos: &'static [Errno],
    /// A value that allows.
    allows: &'static str,
}

const SETTINGS: [Setting; 3] = [
    // Since Linux 4.9 (2016-12); each user namespace has its own.
    Setting {
        name: "user.max_user_namespaces",
        file: "/proc/sys/user/max_user_namespaces",
        forbids: "0",
        errnos: &[Errno::ENOSPC],
        allows: "15000",
    },
    // A patch of Debian's kernel.
    Setting {
        name: "kernel.unprivileged_userns_clone",
        file: "/proc/sys/kernel/unprivileged_userns_clone",
        forbids: "0",
        errnos: &[Errno::EPERM],
        allows: "1",
    },
    // A patch of Ubuntu's kernel, since 23.10: the namespace is refused, or
    // made and nothing allowed in it, not even its id map.
    Setting {
        name: "kernel.apparmor_restrict_unprivileged_userns",
        file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        forbids: "1",
        errnos: &[Errno::EPERM, Errno::EACCES],
        allows: "0",
    },
];

/// Finds the setting that explains this answer, and says what to do. `None`: it
/// is none of them.
///
/// Source: namespaces(7), "The /proc/sys/user directory"
pub fn why_forbidden(errno: Errno) -> Option<String> {
    let value = |file: &str| read_to_string(file).ok();
    SETTINGS.iter().find_map(|setting| setting.blame(errno, value))
}

impl Setting {
    fn blame(
        &self,
        errno: Errno,
        value: impl Fn(&str) -> Option<String>,
    ) -> Option<String> {
        if !self.errnos.contains(&errno) {
            return None;
        }
        let value = value(self.file)?;
        let Self { name, file, allows, .. } = self;
        (value.trim() == self.forbids).then(|| {
            format!(
                "{file} is {}; as root: sysctl {name}={allows}",
                self.forbids
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is blamed on a system that has only this setting.
    fn blame(errno: Errno, name: &str, value: &str) -> Option<String> {
        let read =
            |file: &str| file.ends_with(name).then(|| format!("{value}\n"));
        SETTINGS.iter().find_map(|setting| setting.blame(errno, read))
    }

    #[test]
    fn the_setting_that_forbids_is_named_with_its_remedy() {
        let text = blame(Errno::EPERM, "unprivileged_userns_clone", "0");
        let text = text.unwrap();
        assert!(text.contains("userns_clone is 0"), "{text}");
        let remedy = "sysctl kernel.unprivileged_userns_clone=1";
        assert!(text.ends_with(remedy), "{text}");
        for errno in [Errno::EPERM, Errno::EACCES] {
            assert!(
                blame(errno, "restrict_unprivileged_userns", "1").is_some()
            );
        }
        assert!(blame(Errno::ENOSPC, "max_user_namespaces", "0").is_some());
    }

    #[test]
    fn a_setting_that_is_not_the_cause_is_not_blamed() {
        assert_eq!(blame(Errno::EPERM, "max_user_namespaces", "0"), None);
        assert_eq!(blame(Errno::EPERM, "unprivileged_userns_clone", "1"), None);
        let apparmor = "restrict_unprivileged_userns";
        assert_eq!(blame(Errno::EPERM, apparmor, "0"), None);
    }
}
