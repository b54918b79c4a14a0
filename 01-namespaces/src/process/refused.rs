//! Why the kernel makes no process: clone3(2) has one number for many reasons,
//! and each has its own way out.

use super::SpawnOptions;
use crate::error::SyscallError;
use crate::namespace::{Namespace, why_forbidden};
use nix::errno::Errno;
use nix::unistd::geteuid;

/// Adds what helps, as far as the options and the user tell.
///
/// Source: clone(2), "ERRORS"; user_namespaces(7), pid_namespaces(7): 32 deep
pub(super) fn explain_clone3(
    options: &SpawnOptions<'_>,
    errno: Errno,
) -> SyscallError {
    let call = format!("clone3({})", options.namespaces);
    let error = SyscallError::new(call, errno);
    let ordinary = !geteuid().is_root();
    let user = options.namespaces.contains(Namespace::User);
    let deep = user || options.namespaces.contains(Namespace::Pid);
    match errno {
        Errno::EDEADLK => error.hint(
            "not even tried: this process has more than one thread, and the \
             child would wait for ever for locks that the others hold",
        ),
        Errno::EPERM if ordinary && !user => {
            error.hint("an ordinary user needs a new user namespace too")
        }
        _ if user && let Some(why) = why_forbidden(errno) => error.hint(why),
        Errno::EPERM if user => error.hint(
            "a seccomp filter forbids it, such as that of a container around \
             us, or we are in a chroot",
        ),
        Errno::ENOSPC if deep => error.hint(
            "the limits are /proc/sys/user/max_*_namespaces, and that user and \
             pid namespaces stand at most 32 deep in each other",
        ),
        Errno::ENOSPC => {
            error.hint("the limits are /proc/sys/user/max_*_namespaces")
        }
        Errno::EAGAIN => error.hint(
            "no more processes: the limits are ulimit -u and pids.max of the \
             cgroups that we are in",
        ),
        _ => error,
    }
}
