//! The words in a mount's `options`: what every mount knows, by tables; the rest
//! is for the file system itself. One rule saves half of the words: with an `r`
//! before it, a word on one mount is about all mounts below it too.

use MountAttrFlags as Attr;
use MsFlags as Ms;
use namespaces::mounts::{MountAttrFlags, Propagation, Reach};
use nix::mount::MsFlags;

/// What a mount can be: on, off, mount_setattr(2)'s name and mount(2)'s.
///
/// Source: runtime-spec: config.md, "Linux mount options"; mount(8),
/// "FILESYSTEM-INDEPENDENT MOUNT OPTIONS"
#[rustfmt::skip]
const ATTRIBUTES: [(&str, &str, Attr, Ms); 9] = [
    ("ro",          "rw",            Attr::MOUNT_ATTR_RDONLY,      Ms::MS_RDONLY),
    ("nosuid",      "suid",          Attr::MOUNT_ATTR_NOSUID,      Ms::MS_NOSUID),
    ("nodev",       "dev",           Attr::MOUNT_ATTR_NODEV,       Ms::MS_NODEV),
    ("noexec",      "exec",          Attr::MOUNT_ATTR_NOEXEC,      Ms::MS_NOEXEC),
    ("nosymfollow", "symfollow",     Attr::MOUNT_ATTR_NOSYMFOLLOW, NOSYMFOLLOW),
    ("nodiratime",  "diratime",      Attr::MOUNT_ATTR_NODIRATIME,  Ms::MS_NODIRATIME),
    // Of these three one holds.
    ("noatime",     "atime",         Attr::MOUNT_ATTR_NOATIME,     Ms::MS_NOATIME),
    ("relatime",    "norelatime",    Attr::MOUNT_ATTR_RELATIME,    Ms::MS_RELATIME),
    ("strictatime", "nostrictatime", Attr::MOUNT_ATTR_STRICTATIME, Ms::MS_STRICTATIME),
];

/// Linux 5.10 (2020-12).
const NOSYMFOLLOW: Ms = Ms::from_bits_retain(0x100);

/// What a file system can be, however often it is mounted: a bind mount leaves
/// that as it is.
const SUPERBLOCK: [(&str, &str, Ms); 6] = [
    ("sync", "async", Ms::MS_SYNCHRONOUS),
    ("dirsync", "", Ms::MS_DIRSYNC),
    ("iversion", "noiversion", Ms::MS_I_VERSION),
    ("lazytime", "nolazytime", Ms::MS_LAZYTIME),
    ("mand", "nomand", Ms::MS_MANDLOCK),
    ("silent", "loud", Ms::MS_SILENT),
];

const PROPAGATIONS: [(&str, Propagation); 4] = [
    ("private", Propagation::Private),
    ("slave", Propagation::Slave),
    ("shared", Propagation::Shared),
    ("unbindable", Propagation::Unbindable),
];

/// Attributes of a mount that are to change, as mount_setattr(2) takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) set: MountAttrFlags,
    pub(crate) clear: MountAttrFlags,
}

/// All that the options of one mount say.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Files of the host are to be seen, instead of a new file system.
    pub(crate) bind: Option<Reach>,
    /// A mount that is there is to be changed.
    pub(crate) remount: bool,
    pub(crate) idmap: Option<Reach>,
    pub(crate) copy_up: bool,
    pub(crate) this: Change,
    pub(crate) all_below: Change,
    pub(crate) superblock: MsFlags,
    /// In the order given: a slave can be shared with others.
    pub(crate) propagation: Vec<(Propagation, Reach)>,
    /// What is left, for the file system: `mode=755`.
    pub(crate) data: Vec<String>,
}

/// What a word does.
#[derive(Clone, Copy, Debug)]
enum Word {
    Attribute(Reach, MountAttrFlags, Switch),
    Superblock(MsFlags, Switch),
    Propagation(Propagation, Reach),
    Bind(Reach),
    IdMap(Reach),
    CopyUp,
    Remount,
    Nothing,
}

#[derive(Clone, Copy, Debug)]
enum Switch {
    On,
    Off,
}

impl Options {
    /// Understands the options of a mount. Of two words that contradict each
    /// other the later one counts.
    pub(crate) fn parse(options: &[String]) -> Self {
        let mut all = Self {
            bind: None,
            remount: false,
            idmap: None,
            copy_up: false,
            this: Change::NOTHING,
            all_below: Change::NOTHING,
            superblock: MsFlags::empty(),
            propagation: Vec::new(),
            data: Vec::new(),
        };
        for option in options {
            match find(option) {
                Some(word) => all.add(word),
                None => all.data.push(option.clone()),
            }
        }
        all
    }

    fn add(&mut self, word: Word) {
        match word {
            Word::Attribute(Reach::This, flag, to) => self.this.turn(flag, to),
            Word::Attribute(Reach::AllBelow, flag, to) => {
                self.all_below.turn(flag, to);
            }
            Word::Superblock(flag, Switch::On) => self.superblock |= flag,
            Word::Superblock(flag, Switch::Off) => self.superblock -= flag,
            Word::Propagation(how, reach) => {
                self.propagation.push((how, reach));
            }
            Word::Bind(reach) => self.bind = Some(reach),
            Word::IdMap(reach) => self.idmap = Some(reach),
            Word::CopyUp => self.copy_up = true,
            Word::Remount => self.remount = true,
            Word::Nothing => {}
        }
    }

    /// The same in the words that fsconfig(2) takes. For the two that it lacks
    /// there are no files that could tell the difference.
    pub(crate) fn superblock_words(
        &self,
    ) -> impl Iterator<Item = &'static str> {
        let lacking = MsFlags::MS_SILENT | MsFlags::MS_I_VERSION;
        let flags = self.superblock - lacking;
        let is_set = move |row: &&(_, _, Ms)| flags.contains(row.2);
        SUPERBLOCK.iter().filter(is_set).map(|(on, ..)| *on)
    }

    /// All of it that mount(2) takes in one argument.
    pub(crate) fn flags(&self) -> MsFlags {
        self.this.flags() | self.superblock
    }
}

impl Change {
    const NOTHING: Self =
        Self { set: MountAttrFlags::empty(), clear: MountAttrFlags::empty() };

    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::NOTHING
    }

    fn turn(&mut self, flag: MountAttrFlags, to: Switch) {
        if ACCESS_TIME.contains(flag) {
            return self.turn_access_time(flag, to);
        }
        let (more, less) = match to {
            Switch::On => (&mut self.set, &mut self.clear),
            Switch::Off => (&mut self.clear, &mut self.set),
        };
        *more |= flag;
        *less -= flag;
    }

    /// A number in some bits, not a bit: whoever sets it has to clear all of
    /// them. Without any, it is relatime, the kernel's default.
    fn turn_access_time(&mut self, flag: MountAttrFlags, to: Switch) {
        let before = self.access_time();
        let flag = match to {
            Switch::On => flag,
            // Not this one; another that was asked for stays.
            Switch::Off if before.is_some_and(|other| other != flag) => return,
            Switch::Off => MountAttrFlags::MOUNT_ATTR_RELATIME,
        };
        self.clear |= ACCESS_TIME;
        self.set = (self.set - ACCESS_TIME) | flag;
    }

    fn access_time(&self) -> Option<MountAttrFlags> {
        self.clear.contains(ACCESS_TIME).then_some(self.set & ACCESS_TIME)
    }

    fn flags(&self) -> MsFlags {
        let is_set = |(_, _, attribute, _): &&(_, _, Attr, _)| match ACCESS_TIME
            .contains(*attribute)
        {
            true => self.access_time() == Some(*attribute),
            false => self.set.contains(*attribute),
        };
        let flags = ATTRIBUTES.iter().filter(is_set);
        flags.fold(MsFlags::empty(), |all, (.., flag)| all | *flag)
    }
}

const ACCESS_TIME: MountAttrFlags = MountAttrFlags::MOUNT_ATTR__ATIME;

// ANCHOR: find
fn find(option: &str) -> Option<Word> {
    let all_below = |word| reaching(word, Reach::AllBelow);
    reaching(option, Reach::This)
        .or_else(|| option.strip_prefix('r').and_then(all_below))
        .or_else(|| alone(option))
}
// ANCHOR_END: find

/// Words that there are with and without an `r` before them.
fn reaching(word: &str, reach: Reach) -> Option<Word> {
    let attribute = |(on, off, flag, _): &(&str, &str, Attr, _)| {
        let to = switch(word, on, off)?;
        Some(Word::Attribute(reach, *flag, to))
    };
    match word {
        "bind" => return Some(Word::Bind(reach)),
        "idmap" => return Some(Word::IdMap(reach)),
        _ => {}
    }
    let mut propagations = PROPAGATIONS.iter();
    let propagation = propagations.find(|(name, _)| *name == word);
    match propagation {
        Some((_, how)) => Some(Word::Propagation(*how, reach)),
        None => ATTRIBUTES.iter().find_map(attribute),
    }
}

fn alone(word: &str) -> Option<Word> {
    match word {
        "defaults" => Some(Word::Nothing),
        "remount" => Some(Word::Remount),
        "tmpcopyup" => Some(Word::CopyUp),
        _ => SUPERBLOCK.iter().find_map(|(on, off, flag)| {
            Some(Word::Superblock(*flag, switch(word, on, off)?))
        }),
    }
}

fn switch(word: &str, on: &str, off: &str) -> Option<Switch> {
    match word {
        "" => None,
        _ if word == on => Some(Switch::On),
        _ if word == off => Some(Switch::Off),
        _ => None,
    }
}

/// Finds what a word says on propagation, if it does.
pub(crate) fn propagation(word: &str) -> Option<(Propagation, Reach)> {
    match find(word) {
        Some(Word::Propagation(how, reach)) => Some((how, reach)),
        _ => None,
    }
}

/// All words that are no file system's own, in the order of the alphabet.
pub(crate) fn known() -> Vec<String> {
    let attributes = ATTRIBUTES.iter().flat_map(|(on, off, ..)| [*on, *off]);
    let propagations = PROPAGATIONS.iter().map(|(name, _)| *name);
    let reaching = ["bind", "idmap"].into_iter().chain(attributes);
    let reaching = reaching.chain(propagations);
    let superblock = SUPERBLOCK.iter().flat_map(|(on, off, _)| [*on, *off]);
    let alone = ["defaults", "remount", "tmpcopyup"].into_iter();
    let mut words: Vec<String> = reaching
        .flat_map(|word| [word.to_owned(), format!("r{word}")])
        .chain(alone.chain(superblock).map(str::to_owned))
        .filter(|word| !word.is_empty())
        .collect();
    words.sort();
    words
}

#[cfg(test)]
mod tests;
