//! The words in a mount's `options`: those of every file system become flags, by
//! one table; the rest is for the file system itself.

use anyhow::{Result, bail};
use namespaces::mounts::PROPAGATION;
use nix::mount::MsFlags;

/// What a word in `options` does.
#[derive(Clone, Copy, Debug)]
enum Word {
    Set(MsFlags),
    Clear(MsFlags),
    /// It needs mount_setattr(2), or a copy of files.
    Refused,
}

use Word::{Clear, Refused, Set};

/// Source: runtime-spec: config.md, "Linux mount options"; mount(8),
/// "FILESYSTEM-INDEPENDENT MOUNT OPTIONS"
#[rustfmt::skip]
const WORDS: &[(&str, Word)] = &[
    ("async", Clear(MsFlags::MS_SYNCHRONOUS)),
    ("atime", Clear(MsFlags::MS_NOATIME)),
    ("bind", Set(MsFlags::MS_BIND)),
    ("defaults", Set(MsFlags::empty())),
    ("dev", Clear(MsFlags::MS_NODEV)),
    ("diratime", Clear(MsFlags::MS_NODIRATIME)),
    ("dirsync", Set(MsFlags::MS_DIRSYNC)),
    ("exec", Clear(MsFlags::MS_NOEXEC)),
    ("iversion", Set(MsFlags::MS_I_VERSION)),
    ("loud", Clear(MsFlags::MS_SILENT)),
    ("mand", Set(MsFlags::MS_MANDLOCK)),
    ("noatime", Set(MsFlags::MS_NOATIME)),
    ("nodev", Set(MsFlags::MS_NODEV)),
    ("nodiratime", Set(MsFlags::MS_NODIRATIME)),
    ("noexec", Set(MsFlags::MS_NOEXEC)),
    ("noiversion", Clear(MsFlags::MS_I_VERSION)),
    ("nomand", Clear(MsFlags::MS_MANDLOCK)),
    ("norelatime", Clear(MsFlags::MS_RELATIME)),
    ("nostrictatime", Clear(MsFlags::MS_STRICTATIME)),
    ("nosuid", Set(MsFlags::MS_NOSUID)),
    ("private", Set(MsFlags::MS_PRIVATE)),
    ("rbind", Set(MsFlags::MS_BIND.union(MsFlags::MS_REC))),
    ("relatime", Set(MsFlags::MS_RELATIME)),
    ("ro", Set(MsFlags::MS_RDONLY)),
    ("rprivate", Set(MsFlags::MS_PRIVATE.union(MsFlags::MS_REC))),
    ("rshared", Set(MsFlags::MS_SHARED.union(MsFlags::MS_REC))),
    ("rslave", Set(MsFlags::MS_SLAVE.union(MsFlags::MS_REC))),
    ("runbindable", Set(MsFlags::MS_UNBINDABLE.union(MsFlags::MS_REC))),
    ("rw", Clear(MsFlags::MS_RDONLY)),
    ("shared", Set(MsFlags::MS_SHARED)),
    ("silent", Set(MsFlags::MS_SILENT)),
    ("slave", Set(MsFlags::MS_SLAVE)),
    ("strictatime", Set(MsFlags::MS_STRICTATIME)),
    ("suid", Clear(MsFlags::MS_NOSUID)),
    ("sync", Set(MsFlags::MS_SYNCHRONOUS)),
    ("unbindable", Set(MsFlags::MS_UNBINDABLE)),
    ("idmap", Refused),
    ("ridmap", Refused),
    ("tmpcopyup", Refused),
    ("rro", Refused),
    ("rrw", Refused),
    ("rnosuid", Refused),
    ("rnodev", Refused),
    ("rnoexec", Refused),
    ("rnoatime", Refused),
    ("rrelatime", Refused),
    ("rstrictatime", Refused),
    ("rsuid", Refused),
    ("rdev", Refused),
    ("rexec", Refused),
];

/// The words that are supported.
pub(crate) fn known() -> impl Iterator<Item = &'static str> {
    let is_known = |(_, word): &&(_, Word)| !matches!(word, Refused);
    WORDS.iter().filter(is_known).map(|(name, _)| *name)
}

/// Finds what a word says on propagation, if it does.
pub(crate) fn propagation(word: &str) -> Option<MsFlags> {
    let found = WORDS.iter().find(|(name, _)| *name == word);
    match found.map(|(_, word)| *word) {
        Some(Set(flags)) if flags.intersects(PROPAGATION) => Some(flags),
        Some(Set(_) | Clear(_) | Refused) | None => None,
    }
}

/// Sorts the options: known words to flags, everything else to the file
/// system's data.
pub(crate) fn split(options: &[String]) -> Result<(MsFlags, Option<String>)> {
    let mut flags = MsFlags::empty();
    let mut data = Vec::new();
    for (i, option) in options.iter().enumerate() {
        match WORDS
            .iter()
            .find(|(name, _)| name == option)
            .map(|(_, word)| *word)
        {
            Some(Set(flag)) => flags |= flag,
            Some(Clear(flag)) => flags -= flag,
            Some(Refused) => {
                bail!("options[{i}]: {option:?} is not supported yet")
            }
            None => data.push(option.as_str()),
        }
    }
    Ok((flags, (!data.is_empty()).then(|| data.join(","))))
}
