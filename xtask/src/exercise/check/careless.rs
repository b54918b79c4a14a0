//! Checks of what a careless runtime lets out, and a careful one does not.

use super::held::{CAT, Held};
use super::proc::identity;
use super::scratch::Scratch;
use super::{Claim, Subject};
use anyhow::{Context, Result};
use nix::sys::stat::{makedev, stat};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

static OUTSIDE: Claim = Claim {
    name: "the command's working directory is the host's root",
    likely: "process.cwd is a path; which one leads to a descriptor?",
    man: "man 5 proc_pid_fd",
};

static LEAKED: Claim = Claim {
    name: "the masked file is a file of the host",
    likely: "the runtime has found, or made, a /dev/null that is one",
    man: "man 7 symlink",
};

static MADE: Claim = Claim {
    name: "a directory appears on the host",
    likely: "the mount point was made in the root: nothing on its way led out",
    man: "man 7 symlink",
};

static MASKED: Claim = Claim {
    name: "the masked file is a null device",
    likely: "it was hidden by what the image has as /dev/null",
    man: "man 4 null",
};

static FOLLOWED: Claim = Claim {
    name: "a masked link is followed in the container's root",
    likely: "the target was taken as a path of the host",
    man: "man 2 openat2, RESOLVE_IN_ROOT",
};

/// The learner's config.json was to lead a careless runtime's command out.
pub(crate) fn stands_outside(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let bundle = scratch.bundle(subject)?;
    fs::create_dir(bundle.join("root/proc"))?;
    let held = Held::start(subject.program, &[bundle.into()], &[])?;
    let cwd = format!("/proc/{}/cwd", held.command()?);
    let (host, cwd) = (shown("/proc/self/root"), shown(&cwd));
    OUTSIDE.same(&host, &cwd)
}

/// The image was to make the runtime show a file of the host.
pub(crate) fn unmasked(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let (root, secret) = (scratch.root()?, scratch.path().join("secret"));
    fs::write(&secret, "the host's")?;
    let args = [root.into(), secret.clone().into()];
    let held = Held::start(subject.program, &args, &CAT)?;
    let masked = format!("/proc/{}/root/masked", held.command()?);
    LEAKED.same(&shown(&secret), &shown(masked))
}

/// The image was to make the runtime create a directory of the host.
pub(crate) fn made_outside(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let (root, place) = (scratch.root()?, scratch.path().join("place"));
    fs::create_dir(&place)?;
    let args = [root.into(), place.clone().into()];
    let held = Held::start(subject.program, &args, &CAT)?;
    // It runs: whatever was to be made is made.
    held.command()?;
    let word = |there| if there { "made is in it" } else { "it is empty" };
    MADE.same(&"made is in it", &word(place.join("made").is_dir()))
}

/// The program was to hide a file from whoever has made the root.
pub(crate) fn masked(subject: &Subject<'_>) -> Result<()> {
    let scratch = Scratch::new()?;
    let (root, secret) = (scratch.root()?, scratch.path().join("secret"));
    fs::write(&secret, "the host's")?;
    let dev = root.join("dev");
    fs::create_dir(&dev)?;
    symlink(&secret, dev.join("null"))?;
    fs::write(root.join("masked"), "to be hidden")?;
    let start = || Held::start(subject.program, &[root.clone().into()], &CAT);
    let held = start()?;
    MASKED.same(&NULL, &device(held.command()?, Path::new("masked"))?)?;
    held.end()?;

    // The same path is in the root and on the host.
    let inside = secret.strip_prefix("/").context("an absolute path")?;
    let folder = root.join(inside);
    let folder = folder.parent().context("a file has a folder")?;
    fs::create_dir_all(folder)?;
    fs::write(root.join(inside), "to be hidden, too")?;
    fs::remove_file(root.join("masked"))?;
    symlink(&secret, root.join("masked"))?;
    let held = start()?;
    FOLLOWED.same(&NULL, &device(held.command()?, inside)?)
}

const NULL: &str = "a null device";

/// What a path of the command's root is; no part of it may be a link.
fn device(command: Pid, inside: &Path) -> Result<&'static str> {
    let path = Path::new("/proc").join(command.to_string()).join("root");
    let is_null = stat(&path.join(inside))?.st_rdev == makedev(1, 3);
    Ok(if is_null { NULL } else { "another file" })
}

fn shown(path: impl AsRef<Path>) -> String {
    match identity(path) {
        Ok((device, inode)) => format!("inode {inode} of device {device}"),
        Err(error) => error.to_string(),
    }
}
