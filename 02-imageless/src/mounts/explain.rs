//! What the kernel's EPERM and EINVAL mean where a container has a user
//! namespace, and the way out. The words of config.json, not those of mount(2).

use namespaces::SyscallError;
use nix::errno::Errno;

/// A file system, the answer to whoever may not mount it, and what to do.
const FILESYSTEMS: [(&str, Errno, &str); 4] = [
    (
        "sysfs",
        Errno::EPERM,
        "it shows a network namespace: give the container its own, or bind the \
         host's /sys with rbind and rro",
    ),
    (
        "mqueue",
        Errno::EPERM,
        "it shows an ipc namespace: give the container one of its own, or \
         leave the mount out",
    ),
    (
        "proc",
        Errno::EPERM,
        "it shows a pid namespace: give the container one of its own; and \
         where parts of the host's /proc are hidden from us, the kernel hands \
         out no whole one",
    ),
    (
        "devpts",
        Errno::EINVAL,
        "a group such as gid=5 has to be one of the user namespace: leave the \
         word out, or map it in linux.gidMappings",
    ),
];

/// Says what was in the way of a new file system in a user namespace.
pub(super) fn of_filesystem(
    error: SyscallError,
    fstype: Option<&str>,
) -> SyscallError {
    let row = FILESYSTEMS.iter().find(|(name, errno, _)| {
        Some(*name) == fstype && *errno == error.errno
    });
    match row {
        Some((.., hint)) => error.hint(*hint),
        None => error,
    }
}

/// Says what was in the way of a bind mount.
pub(super) fn of_bind(error: SyscallError) -> SyscallError {
    let call = error.call.split('(').next().unwrap_or_default();
    match (call, error.errno) {
        ("mount_setattr", Errno::EPERM) => error.hint(
            "in a user namespace a mount of the host keeps its ro, nosuid, \
             nodev, noexec and its way of noting access times: leave out the \
             word that would change one of them",
        ),
        ("open_tree", Errno::EINVAL) => error.hint(
            "something is mounted below that must stay hidden or comes \
             along: use rbind",
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_known_ends_at_the_way_out_and_others_stay() {
        let error = |errno| SyscallError::new("mount(..)", errno);
        let hint = |errno, fstype| of_filesystem(error(errno), fstype).hint;
        assert!(hint(Errno::EPERM, Some("sysfs")).unwrap().contains("rbind"));
        assert!(hint(Errno::EINVAL, Some("devpts")).unwrap().contains("gid"));
        assert_eq!(hint(Errno::EPERM, Some("ext4")), None);
        assert_eq!(hint(Errno::ENODEV, Some("sysfs")), None);
        let change = SyscallError::new("mount_setattr(..)", Errno::EPERM);
        assert!(of_bind(change).hint.unwrap().contains("nosuid"));
    }
}
