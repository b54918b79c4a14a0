//! A new file system, made in steps. mount(2) takes all options in one string
//! and answers with one number; the calls here take them one by one, and the
//! kernel says in words what it does not like.

use super::attributes::MountAttrFlags;
use super::detached::DetachedMount;
use crate::error::{InCall, Result, SyscallError};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen,
};
use std::os::fd::{AsFd, BorrowedFd};

/// Describes a file system that is to be made.
///
/// Source: fsopen(2), fsconfig(2), fsmount(2), "Linux 5.2 (2019-07)"
#[derive(Debug, Clone)]
pub struct Filesystem {
    fstype: String,
    /// A value of `None` is a flag.
    options: Vec<(String, Option<String>)>,
    attributes: MountAttrFlags,
}

impl Filesystem {
    /// Describes one of a type, such as `tmpfs`; the type is its source, too.
    pub fn new(fstype: &str) -> Self {
        let new = Self {
            fstype: fstype.to_owned(),
            options: Vec::new(),
            attributes: MountAttrFlags::empty(),
        };
        new.with_option("source", fstype)
    }

    /// Describes an empty one in memory, which ignores set-user-ID files and
    /// devices. `options`: `size=64M,mode=755`.
    ///
    /// Source: tmpfs(5)
    pub fn tmpfs(options: &str) -> Self {
        let new = Self::new("tmpfs").with_attributes(
            MountAttrFlags::MOUNT_ATTR_NOSUID
                | MountAttrFlags::MOUNT_ATTR_NODEV,
        );
        options.split(',').fold(new, Self::with_word)
    }

    /// Names what it shows: a device, or a name that it does not look at.
    pub fn with_source(mut self, source: &str) -> Self {
        self.options.retain(|(key, _)| key != "source");
        self.with_option("source", source)
    }

    /// Adds an option as it stands in a list of them: `mode=755`, `ro`. An
    /// empty word is none.
    pub fn with_word(self, word: &str) -> Self {
        match word.split_once('=') {
            Some((key, value)) => self.with_option(key, value),
            None if word.is_empty() => self,
            None => self.with_flag(word),
        }
    }

    /// Adds an option, up to 255 bytes.
    pub fn with_option(mut self, key: &str, value: &str) -> Self {
        self.options.push((key.to_owned(), Some(value.to_owned())));
        self
    }

    /// Adds an option without a value.
    pub fn with_flag(mut self, key: &str) -> Self {
        self.options.push((key.to_owned(), None));
        self
    }

    /// Adds attributes of its mount.
    pub fn with_attributes(self, attributes: MountAttrFlags) -> Self {
        Self { attributes: self.attributes | attributes, ..self }
    }

    /// Makes it, mounted nowhere yet.
    ///
    /// # Errors
    /// ENODEV: the kernel lacks it. EINVAL: an option is unknown or wrong.
    /// EPERM: not for this user namespace.
    ///
    /// Source: fsopen(2), fsconfig(2), fsmount(2)
    // ANCHOR: create
    pub fn create(&self) -> Result<DetachedMount> {
        let context = fsopen(&*self.fstype, FsOpenFlags::FSOPEN_CLOEXEC)
            .in_call(|| self.fsopen_call())?;
        for option in &self.options {
            match option {
                (key, Some(value)) => fsconfig_set_string(&context, key, value),
                (key, None) => fsconfig_set_flag(&context, key),
            }
            .in_call(|| fsconfig_call(option))
            .map_err(|error| in_words(error, context.as_fd()))?;
        }
        fsconfig_create(&context)
            .in_call(|| CREATE.into())
            .map_err(|error| in_words(error, context.as_fd()))?;
        let flags = FsMountFlags::FSMOUNT_CLOEXEC;
        fsmount(&context, flags, self.attributes)
            .in_call(|| self.fsmount_call())
            .map(DetachedMount::new)
    }
    // ANCHOR_END: create

    /// Lists the calls that [`Filesystem::create`] makes.
    pub fn calls(&self) -> Vec<String> {
        let options = self.options.iter().map(fsconfig_call);
        let made =
            [CREATE.to_owned(), format!("{} = MNT", self.fsmount_call())];
        [format!("{} = FS", self.fsopen_call())]
            .into_iter()
            .chain(options)
            .chain(made)
            .collect()
    }

    fn fsopen_call(&self) -> String {
        format!("fsopen({:?}, FSOPEN_CLOEXEC)", self.fstype)
    }

    fn fsmount_call(&self) -> String {
        let names = self.attributes.iter_names().map(|(name, _)| name);
        let names = names.collect::<Vec<_>>().join("|");
        let names = if names.is_empty() { "0" } else { &names };
        format!("fsmount(FS, FSMOUNT_CLOEXEC, {names})")
    }
}

const CREATE: &str = "fsconfig(FS, FSCONFIG_CMD_CREATE, NULL, NULL, 0)";

fn fsconfig_call((key, value): &(String, Option<String>)) -> String {
    match value {
        Some(value) => {
            format!("fsconfig(FS, FSCONFIG_SET_STRING, {key:?}, {value:?}, 0)")
        }
        None => format!("fsconfig(FS, FSCONFIG_SET_FLAG, {key:?}, NULL, 0)"),
    }
}

/// Adds what the kernel says about it, if anything: `e tmpfs: Bad value for ..`.
///
/// Source: fsopen(2), "Message retrieval interface"
fn in_words(error: SyscallError, context: BorrowedFd<'_>) -> SyscallError {
    let mut buffer = [0; 1024];
    // ENODATA: it has nothing to say.
    let Ok(length) = rustix::io::read(context, &mut buffer) else {
        return error;
    };
    let words = String::from_utf8_lossy(&buffer[..length]);
    // The first letter is the kind: e for error, w for warning, i for info.
    let words = words.trim_end().split_once(' ').map_or("", |(_, text)| text);
    error.hint(format!("the kernel says {words:?}"))
}
