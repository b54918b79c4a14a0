//! Who a container's process is: CRI's user, group and groups as numbers. Names
//! are looked up in the container's own /etc, which its owner controls: read
//! inside the root, bounded, and never taken for a number (CVE-2024-40635).

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use oci_spec::runtime::{User, UserBuilder};

use crate::cri::{
    Int64Value, LinuxContainerSecurityContext, SupplementalGroupsPolicy,
};
use crate::error::{Error, Result, failed};

/// A passwd file with every user of a large site has this size; more is an
/// attack on our memory.
const LARGEST: u64 = 1 << 20;

/// Resolves the user of a request against the root file system; without a word
/// it is root.
///
/// # Errors
/// [`Error::Invalid`]: an id out of range, a name that is not in /etc/passwd, a
/// group without a user.
///
/// Source: CRI: api.proto, LinuxContainerSecurityContext; passwd(5), group(5)
pub fn resolve(
    security: &LinuxContainerSecurityContext,
    rootfs: &Path,
) -> Result<User> {
    let passwd = read_in_root(rootfs, "etc/passwd")?;
    let group = read_in_root(rootfs, "etc/group")?;
    decide(security, &passwd, &group)
}

/// A line of passwd(5), as far as it matters.
#[derive(Debug, PartialEq, Eq)]
struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
}

fn decide(
    security: &LinuxContainerSecurityContext,
    passwd: &str,
    group: &str,
) -> Result<User> {
    let username = security.run_as_username.as_str();
    let asked = security.run_as_user.as_ref();
    if security.run_as_group.is_some() && asked.is_none() && username.is_empty()
    {
        return Err(Error::Invalid(
            "run_as_group without run_as_user or run_as_username".to_owned(),
        ));
    }
    let (uid, entry) = match asked {
        Some(asked) => {
            let uid = id("run_as_user", asked)?;
            (uid, entries(passwd).find(|entry| entry.uid == uid))
        }
        None if username.is_empty() => {
            (0, entries(passwd).find(|entry| entry.uid == 0))
        }
        None => by_name(username, passwd)?,
    };
    let gid = match &security.run_as_group {
        Some(asked) => id("run_as_group", asked)?,
        None => entry.as_ref().map_or(0, |entry| entry.gid),
    };
    // The primary group stands among the others, or an access list that denies
    // it would not match (CVE-2023-25173).
    let mut gids = BTreeSet::from([gid]);
    for asked in &security.supplemental_groups {
        gids.insert(id("supplemental_groups", &Int64Value { value: *asked })?);
    }
    if security.supplemental_groups_policy() == SupplementalGroupsPolicy::Merge
    {
        gids.extend(
            entry.iter().flat_map(|entry| groups_of(entry.name, group)),
        );
    }
    let gids: Vec<_> = gids.into_iter().collect();
    Ok(UserBuilder::default()
        .uid(uid)
        .gid(gid)
        .additional_gids(gids)
        .build()?)
}

/// A name of digits only is an id: a passwd line of that name must not turn it
/// into another one.
fn by_name<'a>(
    name: &str,
    passwd: &'a str,
) -> Result<(u32, Option<Entry<'a>>)> {
    if let Ok(value) = name.parse() {
        let uid = id("run_as_username", &Int64Value { value })?;
        return Ok((uid, entries(passwd).find(|entry| entry.uid == uid)));
    }
    match entries(passwd).find(|entry| entry.name == name) {
        Some(entry) => Ok((entry.uid, Some(entry))),
        None => Err(Error::Invalid(format!(
            "run_as_username {name:?}: not in the container's /etc/passwd"
        ))),
    }
}

/// The kernel knows 32 bits, but everything beyond 31 has been wrapped by some
/// program to 0.
fn id(field: &str, asked: &Int64Value) -> Result<u32> {
    i32::try_from(asked.value)
        .ok()
        .and_then(|id| u32::try_from(id).ok())
        .ok_or_else(|| {
            Error::Invalid(format!(
                "{field} {}: not an id from 0 to {}",
                asked.value,
                i32::MAX
            ))
        })
}

fn entries(passwd: &str) -> impl Iterator<Item = Entry<'_>> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Entry { name, uid, gid })
    })
}

fn groups_of(name: &str, group: &str) -> impl Iterator<Item = u32> {
    group.lines().filter_map(move |line| {
        let fields: Vec<_> = line.split(':').collect();
        let [_, _, gid, members] = fields[..] else { return None };
        members
            .split(',')
            .any(|member| member == name)
            .then(|| gid.parse().ok())?
    })
}

/// Reads a file below `rootfs`, following links only inside it; empty if there
/// is none or it is no regular file.
///
/// # Errors
/// [`Error::Invalid`]: larger than 1 MiB.
///
/// Source: openat2(2), RESOLVE_IN_ROOT, Linux 5.6 (2020-03)
fn read_in_root(rootfs: &Path, path: &str) -> Result<String> {
    let root =
        File::open(rootfs).map_err(failed(format!("open({rootfs:?})")))?;
    // Non-blocking, because a FIFO in its place would let us wait for a writer
    // for ever.
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT);
    let Ok(file) = openat2(&root, path, how).map(File::from) else {
        return Ok(String::new());
    };
    let meta = file.metadata().map_err(failed(format!("fstat({path:?})")))?;
    if !meta.is_file() {
        return Ok(String::new());
    }
    let mut text = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(failed(format!("read({path:?})")))?;
    if text.len() as u64 > LARGEST {
        return Err(Error::Invalid(format!(
            "/{path} of the container is larger than {LARGEST} bytes"
        )));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nweb:x:1000:100::/:\n\
                          1002:x:0:0::/:\nbroken\n";
    const GROUP: &str =
        "root:x:0:\nusers:x:100:\nvideo:x:44:web,other\nbroken\n";

    fn user(
        change: impl FnOnce(&mut LinuxContainerSecurityContext),
    ) -> Result<(u32, u32, Vec<u32>)> {
        let mut context = LinuxContainerSecurityContext::default();
        change(&mut context);
        let user = decide(&context, PASSWD, GROUP)?;
        Ok((
            user.uid(),
            user.gid(),
            user.additional_gids().clone().unwrap_or_default(),
        ))
    }

    fn value(value: i64) -> Option<Int64Value> {
        Some(Int64Value { value })
    }

    #[test]
    fn without_a_word_it_is_root() {
        assert_eq!(user(|_| ()).unwrap(), (0, 0, vec![0]));
    }

    #[test]
    fn a_name_brings_its_group_and_its_memberships() {
        let web = user(|c| c.run_as_username = "web".to_owned()).unwrap();
        assert_eq!(web, (1000, 100, vec![44, 100]));
    }

    #[test]
    fn strict_takes_no_membership_from_the_image() {
        let web = user(|c| {
            c.run_as_user = value(1000);
            c.supplemental_groups = vec![7];
            c.set_supplemental_groups_policy(SupplementalGroupsPolicy::Strict);
        });
        assert_eq!(web.unwrap(), (1000, 100, vec![7, 100]));
    }

    #[test]
    fn a_user_named_like_a_number_does_not_become_root() {
        assert_eq!(
            user(|c| c.run_as_username = "1002".to_owned()).unwrap(),
            (1002, 0, vec![0])
        );
    }

    #[test]
    fn ids_that_would_wrap_to_root_are_refused() {
        for bad in [-1, 1 << 31, 1 << 32, i64::MAX] {
            let error =
                user(|c| c.run_as_user = value(bad)).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("run_as_user {bad}: ")),
                "{error}"
            );
        }
        for bad in ["4294967296", "-1", "1:", ":1", "1000x", "nobody"] {
            assert!(
                user(|c| c.run_as_username = bad.to_owned()).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_group_needs_a_user() {
        assert!(user(|c| c.run_as_group = value(5)).is_err());
        let both =
            user(|c| (c.run_as_user, c.run_as_group) = (value(7), value(5)));
        assert_eq!(both.unwrap(), (7, 5, vec![5]));
    }

    #[test]
    fn a_passwd_that_points_out_of_the_root_is_not_the_hosts() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::os::unix::fs::symlink(
            "/etc/hostname",
            root.path().join("etc/passwd"),
        )
        .unwrap();
        assert_eq!(read_in_root(root.path(), "etc/passwd").unwrap(), "");
        std::fs::write(root.path().join("etc/hostname"), "inside").unwrap();
        assert_eq!(read_in_root(root.path(), "etc/passwd").unwrap(), "inside");
    }

    #[test]
    fn a_fifo_or_a_huge_file_does_not_hold_us_up() {
        let root = tempfile::tempdir().unwrap();
        nix::unistd::mkfifo(
            &root.path().join("fifo"),
            nix::sys::stat::Mode::S_IRWXU,
        )
        .unwrap();
        assert_eq!(read_in_root(root.path(), "fifo").unwrap(), "");
        File::create(root.path().join("huge"))
            .unwrap()
            .set_len(1 << 40)
            .unwrap();
        assert!(read_in_root(root.path(), "huge").is_err());
    }
}
