//! `check --watch`: checks again at every save, by inotify(7).
//!
//! It watches folders, not files: editors write a new file and rename it.

use super::verbs::{check_package, chosen};
use super::workshop::Workshop;
use anyhow::Result;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::ffi::OsStr;
use std::os::fd::AsFd;

/// Milliseconds without another event, after which a save is taken as complete:
/// an editor makes several.
const QUIET: u16 = 100;

/// Checks, waits for a save, checks again, until Ctrl-C.
///
/// # Errors
/// No such exercise, not started, or no inotify instance left (EMFILE).
pub(crate) fn watch(id: Option<&str>) -> Result<()> {
    let exercise = chosen(id)?;
    let workshop = Workshop::of_learner();
    workshop.require(&exercise)?;
    let folder = workshop.folder(&exercise);
    let saves = Inotify::init(InitFlags::IN_CLOEXEC)?;
    let events = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO;
    for watched in [folder.join("src"), folder] {
        if watched.is_dir() {
            saves.add_watch(&watched, events)?;
        }
    }
    loop {
        if let Err(error) = check_package(&exercise) {
            eprintln!("{error:#}");
        }
        // What the check itself has written is no save.
        while has_event(&saves, QUIET.into())? {
            saves.read_events()?;
        }
        println!("waiting for you to save (Ctrl-C ends)");
        while !saved(&saves)? {}
        while has_event(&saves, QUIET.into())? {
            saves.read_events()?;
        }
    }
}

/// Waits for events, and tells whether one is about a file of the learner's:
/// our own and many editors' begin with a dot.
fn saved(saves: &Inotify) -> Result<bool> {
    let events = saves.read_events()?;
    let ours = |name: &OsStr| name.as_encoded_bytes().starts_with(b".");
    Ok(events.iter().any(|e| e.name.as_ref().is_some_and(|name| !ours(name))))
}

fn has_event(saves: &Inotify, wait: PollTimeout) -> Result<bool> {
    let mut ready = [PollFd::new(saves.as_fd(), PollFlags::POLLIN)];
    Ok(poll(&mut ready, wait)? == 1)
}
