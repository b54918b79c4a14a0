//! Keeps containers away from our own program file. A container whose program
//! is `/proc/self/exe` executes *us*, and could then write to what it executed:
//! root on the host with the next call of the runtime (CVE-2019-5736). So what
//! becomes a container executes a copy of us that nobody can write to.

use anyhow::Result;
use namespaces::InCall;
use namespaces::mounts::{DetachedMount, Reach, make_read_only_below};
use nix::fcntl::{AtFlags, FcntlArg, OFlag, SealFlag, fcntl, open};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::prctl;
use nix::sys::stat::Mode;
use nix::sys::statvfs::{FsFlags, fstatvfs};
use nix::unistd::execveat;
use std::ffi::{CString, OsString};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

const NO_WRITING: SealFlag = SealFlag::F_SEAL_WRITE
    .union(SealFlag::F_SEAL_GROW)
    .union(SealFlag::F_SEAL_SHRINK)
    .union(SealFlag::F_SEAL_SEAL);

/// The verbs that call [`protect`].
const VERBS: [&str; 3] = ["run", "create", "exec"];

/// Does that before the command line is read, which the copy has to do anyway.
/// A name that only looks like one of the verbs costs an execution of us.
// ANCHOR: protect_early
pub(crate) fn protect_early() {
    let mut words = std::env::args_os();
    if words.any(|word| VERBS.iter().any(|verb| word == *verb)) {
        // The verb itself calls it again, and can tell it better.
        let _ = protect();
    }
}
// ANCHOR_END: protect_early

/// Executes this very command anew from such a copy; returns if it runs from
/// one already. Before anything is open or made.
///
/// # Errors
/// ENOENT: /proc is not mounted. ENOMEM: no room for the copy.
///
/// Source: execveat(2), "Linux 3.19 (2015-02)"
pub(crate) fn protect() -> Result<()> {
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let exe = open("/proc/self/exe", flags, Mode::empty())
        .in_call(|| "open(\"/proc/self/exe\")".into())?;
    if is_protected(&exe)? {
        // After execveat(2) the name was the number of a descriptor.
        prctl::set_name(c"imageless")
            .in_call(|| "prctl(PR_SET_NAME)".into())?;
        return Ok(());
    }
    // Without the right to mount, as an ordinary user, or without a kernel for
    // it: the copy in memory, which takes longer.
    let copy = read_only_clone(&exe).or_else(|_| sealed_copy(exe))?;
    let (argv, env) = (args(), env());
    let never = execveat(&copy, c"", &argv, &env, AtFlags::AT_EMPTY_PATH);
    never.in_call(|| "execveat(our own program)".into())?;
    Ok(())
}

fn is_protected(exe: &OwnedFd) -> Result<bool> {
    let mount = fstatvfs(exe).in_call(|| "fstatvfs(our program)".into())?;
    // EINVAL: a file that cannot have seals.
    let seals = fcntl(exe, FcntlArg::F_GET_SEALS).unwrap_or(0);
    let sealed = SealFlag::from_bits_truncate(seals).contains(NO_WRITING);
    Ok(sealed || mount.flags().contains(FsFlags::ST_RDONLY))
}

/// A mount of nothing but the file, attached nowhere, through which nobody can
/// write: no byte is copied.
fn read_only_clone(exe: &OwnedFd) -> namespaces::Result<OwnedFd> {
    let clone = DetachedMount::open_tree(exe.as_fd(), Reach::This)?;
    make_read_only_below(clone.as_fd())?;
    Ok(clone.into())
}

fn sealed_copy(exe: OwnedFd) -> Result<OwnedFd> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let copy = memfd_create(c"imageless", flags)
        .in_call(|| "memfd_create(\"imageless\")".into())?;
    let mut copy = File::from(copy);
    std::io::copy(&mut File::from(exe), &mut copy)
        .in_call(|| "write(memfd)".into())?;
    fcntl(&copy, FcntlArg::F_ADD_SEALS(NO_WRITING))
        .in_call(|| "fcntl(memfd, F_ADD_SEALS)".into())?;
    Ok(copy.into())
}

fn args() -> Vec<CString> {
    std::env::args_os().map(c_string).collect()
}

fn env() -> Vec<CString> {
    let variable = |(name, value): (OsString, OsString)| {
        let mut variable = name;
        variable.push("=");
        variable.push(value);
        c_string(variable)
    };
    std::env::vars_os().map(variable).collect()
}

fn c_string(text: OsString) -> CString {
    CString::new(text.into_vec()).expect("the kernel gave it to us as one")
}
