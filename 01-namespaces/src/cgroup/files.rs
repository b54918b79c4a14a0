//! The cgroup file system: directories are cgroups, files are their settings.

use super::kill::wait_for;
use crate::error::{InCall, Result, SyscallError};
use crate::kernel_file;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::fs::{self, DirEntry, File};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Makes a cgroup and those above it; notes what it made.
pub(super) fn make_dirs(dir: &Path, made: &mut Vec<PathBuf>) -> Result<()> {
    match fs::create_dir(dir) {
        Ok(()) => made.push(dir.to_owned()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let above = dir.parent().unwrap_or(dir);
            make_dirs(above, made)?;
            fs::create_dir(dir).in_call(|| format!("mkdir({dir:?})"))?;
            made.push(dir.to_owned());
        }
        failed => failed.in_call(|| format!("mkdir({dir:?})"))?,
    }
    Ok(())
}

/// Lists the processes of a cgroup and of those below it.
pub(super) fn pids_below(dir: &Path) -> Result<Vec<Pid>> {
    let numbers = read(&dir.join("cgroup.procs"))?;
    let numbers = numbers.lines().filter_map(|line| line.parse().ok());
    let mut pids: Vec<_> = numbers.map(Pid::from_raw).collect();
    for child in children(dir)? {
        pids.extend(pids_below(&child)?);
    }
    Ok(pids)
}

/// Lists the cgroups right below one.
fn children(dir: &Path) -> Result<Vec<PathBuf>> {
    let links = fs::metadata(dir).in_call(|| format!("stat({dir:?})"))?.nlink();
    // Its own two, and one from each directory in it: mostly there is none.
    if links == 2 {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(dir).in_call(|| format!("getdents({dir:?})"))?;
    // The kind comes with the entry; a cgroup has dozens of files.
    let is_dir =
        |entry: &DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    Ok(entries.flatten().filter(is_dir).map(|entry| entry.path()).collect())
}

/// Waits until the processes of a cgroup have ended, and removes it with those
/// below it.
pub(super) fn remove_tree(dir: &Path, deadline: Instant) -> Result<()> {
    // Most have no process any more, and none below them: one call does it.
    match fs::remove_dir(dir) {
        Err(error) if error.kind() == ErrorKind::ResourceBusy => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        result => return result.in_call(|| format!("rmdir({dir:?})")),
    }
    wait_for(&unless_gone(pids_below(dir))?, deadline)?;
    for child in unless_gone(children(dir))? {
        remove_tree(&child, deadline)?;
    }
    loop {
        match fs::remove_dir(dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            // A process leaves its cgroup a moment after its handle says that
            // it has ended, and v1 has no event for that moment. It is
            // microseconds: we give the processor away until it has passed.
            Err(error)
                if error.kind() == ErrorKind::ResourceBusy
                    && Instant::now() < deadline =>
            {
                std::thread::yield_now();
            }
            result => return result.in_call(|| format!("rmdir({dir:?})")),
        }
    }
}

/// Takes a cgroup that somebody else has removed meanwhile for one with nothing
/// in it. ENODEV: its files were open by then.
pub(super) fn unless_gone<T>(listed: Result<Vec<T>>) -> Result<Vec<T>> {
    match listed {
        Err(error) if matches!(error.errno, Errno::ENOENT | Errno::ENODEV) => {
            Ok(Vec::new())
        }
        listed => listed,
    }
}

/// Reads a file, which is text.
pub(super) fn read(path: &Path) -> Result<String> {
    let bytes = kernel_file::read(path)?;
    String::from_utf8(bytes)
        .map_err(|_| Errno::EILSEQ)
        .in_call(|| format!("read({path:?})"))
}

/// Writes a value, in one call as the kernel wants it.
pub(super) fn write(path: &Path, value: &str) -> Result<()> {
    nix::unistd::write(&open_for_writing(path)?, value.as_bytes())
        .map(drop)
        .in_call(|| format!("write({path:?}, {value:?})"))
}

/// Opens a file to be written. Not fs::write: its O_CREAT turns "no such file"
/// into "permission denied" on this file system.
pub(super) fn open_for_writing(path: &Path) -> Result<File> {
    let file = fs::OpenOptions::new().write(true).open(path);
    file.in_call(|| format!("open({path:?}, O_WRONLY)"))
}

/// Lists the sizes of huge pages that a cgroup counts, from the names of its
/// files: `hugetlb.2MB` and `suffix`.
pub(super) fn page_sizes(dir: &Path, suffix: &str) -> Vec<String> {
    // Not there: the controller is not.
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let size = |entry: DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let size = name.strip_prefix("hugetlb.")?.strip_suffix(suffix)?;
        (!size.contains('.')).then(|| size.to_owned())
    };
    entries.filter_map(size).collect()
}

/// Adds what helps against an error of this file system.
pub(super) fn explain(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EACCES | Errno::EPERM => error.hint(
            "an ordinary user needs a delegated cgroup, for example from \
             `systemd-run --user --scope -p Delegate=yes`",
        ),
        Errno::EROFS => error.hint("cgroups are mounted read-only here"),
        _ => error,
    }
}
