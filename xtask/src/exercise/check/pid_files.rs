//! Checks of a file that others read while it is written.

use super::held::{CAT, Held};
use super::scratch::Scratch;
use super::{Claim, Subject};
use anyhow::Result;
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::fs;
use std::path::Path;

static NAMES: Claim = Claim {
    name: "the pid file names the command",
    likely: "it is written too late, or has a newline, or another pid",
    man: "man 2 getpid",
};

static WHOLE: Claim = Claim {
    name: "the pid file appears whole",
    likely: "it is opened under its own name and filled then: whoever reads in \
             between reads nothing",
    man: "man 2 rename, man 7 inotify",
};

static ALONE: Claim = Claim {
    name: "nothing else is left beside it",
    likely: "a temporary file was copied, not renamed",
    man: "man 2 rename",
};

/// The program was to write its command's pid into a file by a rename.
pub(crate) fn whole(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let file = scratch.path().join("pid");
    // One is there from an earlier time.
    fs::write(&file, "1")?;
    let watch = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
    let all = AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_MOVED_TO;
    watch.add_watch(scratch.path(), all)?;
    let held = Held::start(subject.program, &[file.clone().into()], &CAT)?;
    let command = held.command()?.to_string();
    NAMES.same(&command, &fs::read_to_string(&file).unwrap_or_default())?;
    let expected = "it is renamed to its name";
    WHOLE.same(&expected.to_owned(), &seen(&watch, &file)?)?;
    held.end()?;
    let left: Vec<_> = fs::read_dir(scratch.path())?
        .map(|entry| Ok(entry?.file_name().display().to_string()))
        .collect::<Result<_>>()?;
    ALONE.same(&"pid".to_owned(), &left.join(", "))
}

/// What has happened to the file, in words.
fn seen(watch: &Inotify, file: &Path) -> Result<String> {
    let mut words = vec![];
    loop {
        let events = match watch.read_events() {
            Err(Errno::EAGAIN) => return Ok(words.join(", ")),
            events => events?,
        };
        for event in events {
            if event.name.as_deref() != file.file_name() {
                continue;
            }
            let word =
                WORDS.iter().find(|(mask, _)| event.mask.contains(*mask));
            let word = word.map_or("something else", |(_, word)| *word);
            if words.last() != Some(&word) {
                words.push(word);
            }
        }
    }
}

const WORDS: [(AddWatchFlags, &str); 4] = [
    (AddWatchFlags::IN_MOVED_TO, "it is renamed to its name"),
    (AddWatchFlags::IN_CREATE, "it is made empty"),
    (AddWatchFlags::IN_MODIFY, "it is changed in its place"),
    (AddWatchFlags::IN_DELETE, "it is removed"),
];
