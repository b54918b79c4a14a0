//! `tmpcopyup`: a tmpfs that begins with what the root file system has in that
//! place. The files come from strangers: each is opened by handle, so that what
//! was looked at is what is copied, and no link is followed, in or out.

use namespaces::root::path_of;
use namespaces::{InCall, Result, SyscallError};
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{
    FchmodatFlags, FileStat, Mode, SFlag, UtimensatFlags, fchmodat, fstat,
    mkdirat, mknodat, utimensat,
};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, fchownat, symlinkat};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// No image has directories as deep as this; each costs two descriptors.
const DEEPEST: u32 = 100;

/// Copies the contents of a directory with owners, modes and times. Not here:
/// hard links (each becomes a file), extended attributes.
///
/// # Errors
/// ENOSPC: the tmpfs is too small. ELOOP: directories deeper than any image has.
///
/// Source: runtime-spec: config.md, "Linux mount options", `tmpcopyup`
pub(super) fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    directory(from, to, 0)?;
    let status = fstat(from).in_call(|| "fstat(POINT)".into())?;
    take_after(&status, to, c".")
}

fn directory(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    depth: u32,
) -> Result<()> {
    if depth > DEEPEST {
        let error = SyscallError::new("tmpcopyup", Errno::ELOOP);
        return Err(error.hint(format!(
            "there are more than {DEEPEST} directories in each other"
        )));
    }
    for name in names(from)? {
        entry(from, to, &name, depth)?;
    }
    Ok(())
}

fn names(directory: BorrowedFd<'_>) -> Result<Vec<CString>> {
    let call = || "getdents64(..)".into();
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY;
    let mut list = Dir::from_fd(open(directory, c".", flags)?).in_call(call)?;
    let mut names = Vec::new();
    for entry in list.iter() {
        let entry = entry.in_call(call)?;
        if ![c".", c".."].contains(&entry.file_name()) {
            names.push(entry.file_name().to_owned());
        }
    }
    Ok(names)
}

// ANCHOR: entry
/// The handle is on the file itself, a link or a device unopened.
fn entry(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
    depth: u32,
) -> Result<()> {
    let file = open(from, name, OFlag::O_PATH | OFlag::O_NOFOLLOW)?;
    let status = fstat(&file).in_call(|| format!("fstat({name:?})"))?;
    let kind = kind(&status);
    match kind {
        SFlag::S_IFDIR => {
            mkdirat(to, name, Mode::S_IRWXU)
                .in_call(|| format!("mkdirat(TMPFS, {name:?})"))?;
            let made = open(to, name, OFlag::O_PATH)?;
            directory(file.as_fd(), made.as_fd(), depth + 1)?;
        }
        SFlag::S_IFLNK => {
            let target = readlinkat(&file, c"")
                .in_call(|| format!("readlinkat({name:?})"))?;
            symlinkat(target.as_os_str(), to, name)
                .in_call(|| format!("symlinkat(TMPFS, {name:?})"))?;
        }
        SFlag::S_IFREG => contents(file.as_fd(), to, name)?,
        _ => mknodat(to, name, kind, Mode::S_IRUSR, status.st_rdev)
            .in_call(|| format!("mknodat(TMPFS, {name:?})"))?,
    }
    take_after(&status, to, name)
}
// ANCHOR_END: entry

fn contents(
    file: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
) -> Result<()> {
    let path = path_of(file);
    let mut from =
        File::open(&path).in_call(|| format!("open({path:?}, O_RDONLY)"))?;
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
    let mut copy = File::from(open(to, name, flags)?);
    std::io::copy(&mut from, &mut copy)
        .in_call(|| format!("write(TMPFS/{name:?})"))?;
    Ok(())
}

/// Gives what was made the owner, the mode and the times of the original. In
/// this order: a change of the owner takes set-user-ID away.
fn take_after(
    status: &FileStat,
    at: BorrowedFd<'_>,
    name: &CStr,
) -> Result<()> {
    let (uid, gid) =
        (Uid::from_raw(status.st_uid), Gid::from_raw(status.st_gid));
    let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
    match fchownat(at, name, Some(uid), Some(gid), flags) {
        // An id that the user namespace does not know can be given to nobody.
        Err(Errno::EINVAL) => Ok(()),
        changed => changed,
    }
    .in_call(|| format!("fchownat(TMPFS, {name:?}, {uid}, {gid})"))?;
    if kind(status) != SFlag::S_IFLNK {
        let mode = Mode::from_bits_truncate(status.st_mode);
        fchmodat(at, name, mode, FchmodatFlags::FollowSymlink)
            .in_call(|| format!("fchmodat(TMPFS, {name:?}, {mode:?})"))?;
    }
    let read = TimeSpec::new(status.st_atime, status.st_atime_nsec);
    let written = TimeSpec::new(status.st_mtime, status.st_mtime_nsec);
    utimensat(at, name, &read, &written, UtimensatFlags::NoFollowSymlink)
        .in_call(|| format!("utimensat(TMPFS, {name:?})"))
}

fn kind(status: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT
}

fn open(at: BorrowedFd<'_>, name: &CStr, flags: OFlag) -> Result<OwnedFd> {
    let mode = Mode::S_IRUSR | Mode::S_IWUSR;
    openat(at, name, flags | OFlag::O_CLOEXEC, mode)
        .in_call(|| format!("openat({name:?})"))
}
