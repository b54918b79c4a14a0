//! Which later mounts of the host a container sees, and the host of it:
//! `linux.rootfsPropagation`, and the words on propagation among the options of
//! mounts. Without a word the container is cut off.

use crate::mount_options;
use crate::mounts::Planned;
use anyhow::{Context, Result};
use namespaces::InCall;
use namespaces::mountinfo::MountInfo;
use namespaces::mounts::{DetachedMount, Propagation, Reach, set_propagation};
use namespaces::root::{Root, path_of};
use nix::mount::MsFlags;
use oci_spec::runtime::Linux;
use std::os::fd::AsFd;
use std::path::Path;

/// What init does about it, in three steps.
#[derive(Debug)]
pub(crate) struct Sharing {
    /// Whether any mount is to follow the host's.
    follows: bool,
    /// How the container's root is to be, if the configuration says so.
    root: Option<MsFlags>,
}

/// Decides it for a configuration. Where a mount follows the host, those
/// without a word have to be cut off one by one.
///
/// # Errors
/// No such word.
///
/// Source: runtime-spec: config-linux.md, "Rootfs Mount Propagation"
pub(crate) fn plan(linux: &Linux, mounts: &mut [Planned]) -> Result<Sharing> {
    let root = match linux.rootfs_propagation().as_deref() {
        None | Some("") => None,
        Some(word) => Some(flags_of(word).with_context(|| {
            format!(
                "config.json: linux.rootfsPropagation: {word:?}: not private, \
                 slave, shared or unbindable"
            )
        })?),
    };
    let follows = root.is_some_and(|flags| flags.contains(MsFlags::MS_SLAVE))
        || mounts.iter().any(Planned::follows_host);
    if follows {
        mounts.iter_mut().for_each(Planned::cut_off_if_silent);
    }
    Ok(Sharing { follows, root })
}

fn flags_of(word: &str) -> Option<MsFlags> {
    let (how, reach) = mount_options::propagation(word)?;
    Some(match reach {
        Reach::This => how.flag(),
        Reach::AllBelow => how.flag() | MsFlags::MS_REC,
    })
}

impl Sharing {
    /// First of all, takes what is to be there before that, such as a copy of
    /// each source that is to be the host's too; and then cuts off all mounts
    /// that are here.
    pub(crate) fn begin(
        &self,
        mounts: &[Planned],
    ) -> Result<Vec<Option<DetachedMount>>> {
        let held = mounts.iter().map(Planned::hold);
        let held = held.collect::<Result<_>>()?;
        match self.follows {
            true => Propagation::Slave.set_on_all()?,
            false => Propagation::Private.set_on_all()?,
        }
        Ok(held)
    }

    /// Before anything is mounted in the root.
    pub(crate) fn cut_off_root(&self, root: &Root) -> Result<()> {
        let keeps =
            self.root.is_some_and(|flags| flags.contains(MsFlags::MS_SLAVE));
        if self.follows && !keeps {
            let flags = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
            set_propagation(&path_of(root.as_fd()), flags)?;
        }
        Ok(())
    }

    /// At the end, when it is `/`: pivot_root(2) takes no shared one.
    pub(crate) fn finish(&self) -> Result<()> {
        let Some(flags) = self.root else { return Ok(()) };
        set_propagation(Path::new("/"), flags)
            .context("config.json: linux.rootfsPropagation")
    }
}

/// Tells whether a file of the host is on a shared mount: only then there is
/// somebody to share with.
pub(crate) fn is_shared(file: &Path) -> namespaces::Result<bool> {
    let file = file.canonicalize().in_call(|| format!("realpath({file:?})"))?;
    let mounts = MountInfo::of("self")?;
    let above = mounts.iter().filter(|mount| file.starts_with(&mount.target));
    // Of those at the same place, the last is on top.
    let mount = above.max_by_key(|mount| mount.target.components().count());
    let mut tags = mount.iter().flat_map(|mount| &mount.propagation);
    Ok(tags.any(|tag| tag.starts_with("shared:")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(word: &str) -> Result<Sharing> {
        let json = format!(r#"{{"rootfsPropagation":"{word}"}}"#);
        plan(&serde_json::from_str(&json).unwrap(), &mut [])
    }

    #[test]
    fn a_root_follows_the_host_only_if_it_is_a_slave() {
        for (word, follows) in [
            ("", false),
            ("rprivate", false),
            ("shared", false),
            ("rslave", true),
        ] {
            assert_eq!(planned(word).unwrap().follows, follows, "{word}");
        }
    }

    #[test]
    fn a_word_that_is_none_is_refused_by_its_field() {
        let error = planned("odd").unwrap_err().to_string();
        let start =
            "config.json: linux.rootfsPropagation: \"odd\": not private";
        assert!(error.starts_with(start), "{error}");
    }
}
