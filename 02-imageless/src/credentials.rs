//! Who the container process is: groups, group, user, capabilities, and never
//! more than that again. The order is forced: each step takes away the right to
//! do the one before it.

use crate::capabilities::Sets;
use anyhow::Result;
use namespaces::InCall;
use namespaces::capabilities::bounding;
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use oci_spec::runtime::User;

/// What runc gives to a container whose configuration says nothing.
const DEFAULT_UMASK: u32 = 0o022;

// ANCHOR: apply
/// Turns init, still root, into the configured user with the configured
/// capabilities. Runs in init.
///
/// # Errors
/// EINVAL: an id that the user namespace does not map. EPERM: additional
/// groups, and setgroups(2) is denied in this user namespace.
///
/// Source: credentials(7), capabilities(7), "Effect of user ID changes on
/// capabilities"
pub(crate) fn apply(
    user: &User,
    capabilities: Sets,
    no_new_privileges: bool,
) -> Result<()> {
    let capabilities = capabilities.within(bounding()?);
    capabilities.limit_bounding()?;
    set_groups(user)?;
    set_user(user)?;
    capabilities.apply()?;
    if no_new_privileges {
        prctl::set_no_new_privs()
            .in_call(|| "prctl(PR_SET_NO_NEW_PRIVS, 1)".into())?;
    }
    umask(Mode::from_bits_truncate(user.umask().unwrap_or(DEFAULT_UMASK)));
    Ok(())
}
// ANCHOR_END: apply

/// Groups first: after the user has changed, the right is gone. Always set,
/// also to none: root's groups must not stay. Only an ordinary user's do, whom
/// the kernel does not let drop them: a file may be closed to a group.
///
/// Source: user_namespaces(7), "/proc/pid/setgroups"
fn set_groups(user: &User) -> Result<()> {
    let groups: Vec<_> = user
        .additional_gids()
        .iter()
        .flatten()
        .copied()
        .map(Gid::from_raw)
        .collect();
    match setgroups(&groups) {
        Err(Errno::EPERM) if groups.is_empty() => {}
        done => done.in_call(|| format!("setgroups({groups:?})"))?,
    }
    let gid = Gid::from_raw(user.gid());
    setresgid(gid, gid, gid)
        .in_call(|| format!("setresgid({gid}, {gid}, {gid})"))?;
    Ok(())
}

/// Keeps the permitted set over the change; without that, the capabilities of a
/// user other than root could not be set.
fn set_user(user: &User) -> Result<()> {
    let uid = Uid::from_raw(user.uid());
    prctl::set_keepcaps(true).in_call(|| "prctl(PR_SET_KEEPCAPS, 1)".into())?;
    setresuid(uid, uid, uid)
        .in_call(|| format!("setresuid({uid}, {uid}, {uid})"))?;
    prctl::set_keepcaps(false)
        .in_call(|| "prctl(PR_SET_KEEPCAPS, 0)".into())?;
    Ok(())
}
