//! A bundle out of programs of this machine, without an image: a rootfs with
//! just what the kernel and ld.so(8) will look for, and a config.json beside
//! it. First a plan that only reads (`contents`), then the copy (`rootfs`) in a
//! directory that gets its name at the end (`staging`). No program is run to
//! find out what it needs.

mod contents;
mod elf;
mod ld_cache;
mod libraries;
mod rootfs;
mod script;
mod staging;
mod walk;

use crate::config_json;
use anyhow::{Context, Result, bail};
use contents::Contents;
use namespaces::SyscallError;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use oci_spec::runtime::Spec;
use rootfs::Rootfs;
use staging::Staging;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What a bundle is made of.
pub(crate) struct Recipe {
    /// Paths, or names on PATH; the first one is what the container runs if
    /// there is no command.
    pub(crate) programs: Vec<PathBuf>,
    /// `HOST[:INSIDE]`: further files and directories.
    pub(crate) copies: Vec<String>,
    /// All of config.json but `process.args`, which come from `command`.
    pub(crate) spec: Spec,
    /// The words of the command, the program first; empty for the first program
    /// alone.
    pub(crate) command: Vec<String>,
}

/// What was made.
#[derive(Debug)]
pub(crate) struct Summary {
    /// The words of config.json's process.args.
    pub(crate) args: Vec<String>,
    /// The number of regular files in the rootfs.
    pub(crate) files: usize,
    /// Their size together.
    pub(crate) bytes: u64,
}

/// Makes a bundle in `directory`, which must not exist yet; after an error it
/// still does not.
///
/// # Errors
/// EEXIST: the directory exists. Else what [`Contents::plan`] and
/// [`Rootfs::add`] say, or a command that is not in the rootfs.
///
/// Source: runtime-spec: bundle.md
// ANCHOR: make
pub(crate) fn make(directory: &Path, recipe: Recipe) -> Result<Summary> {
    let Recipe { programs, copies, mut spec, command } = recipe;
    let staging = Staging::beside(directory)?;
    let contents = Contents::plan(&programs, &copies)?;
    let root = staging.path().join("rootfs");
    let (files, bytes) = fill(&root, &contents)?;

    let args = arguments(&contents, command)?;
    let process = spec.process_mut().as_mut().expect("default_spec makes one");
    process.set_args(Some(args.clone()));
    let env = process.env().as_deref().unwrap_or_default();
    find_command(&root, &args[0], env)?;

    config_json::write(&spec, &staging.path().join("config.json"))?;
    staging.publish()?;
    Ok(Summary { args, files, bytes })
}
// ANCHOR_END: make

fn fill(root: &Path, contents: &Contents) -> Result<(usize, u64)> {
    let mut rootfs = Rootfs::create(root.to_owned())?;
    contents.files.iter().try_for_each(|file| rootfs.add(file))?;
    if let Some(cache) = contents.cache.render() {
        rootfs.write(Path::new(ld_cache::PATH), &cache)?;
    }
    rootfs.write_etc()?;
    Ok(rootfs.size())
}

fn arguments(contents: &Contents, command: Vec<String>) -> Result<Vec<String>> {
    if !command.is_empty() {
        return Ok(command);
    }
    let program = &contents.files[0].inside;
    let name = program.to_str().with_context(|| {
        format!("{}: config.json is UTF-8", program.display())
    })?;
    Ok(vec![name.to_owned()])
}

/// Checks that the container will find its command. Else only a runtime would
/// say so, when it is too late to add the program.
fn find_command(root: &Path, command: &str, env: &[String]) -> Result<()> {
    let directory = File::open(root).map_err(failed("open", root))?;
    let path = env.iter().find_map(|variable| variable.strip_prefix("PATH="));
    let is_path = command.contains('/');
    let directories = if is_path { "/" } else { path.unwrap_or_default() };
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT);
    let is_there = |place: &str| {
        let path = Path::new(place).join(command);
        let file = openat2(&directory, &path, how).map(File::from);
        file.is_ok_and(|file| file.metadata().is_ok_and(|data| data.is_file()))
    };
    if directories.split(':').any(is_there) {
        return Ok(());
    }
    let looked_on = if is_path { "" } else { " on its PATH" };
    bail!(
        "{command}: the container has no such program{looked_on}\n\
         hint: after -- stands the whole command, the program first"
    );
}

/// Opens a regular file for reading; a FIFO, which would block, or a device is
/// an error.
fn open(path: &Path) -> Result<File> {
    let metadata = path.metadata().map_err(failed("stat", path))?;
    if !metadata.is_file() {
        let call = format!("open({path:?})");
        return Err(SyscallError::new(call, Errno::EINVAL)
            .hint("it is not a regular file")
            .into());
    }
    File::open(path).map_err(failed("open", path))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(failed("read", path))?;
    Ok(bytes)
}

/// Names the call and the path of an I/O error.
fn failed(call: &str, path: &Path) -> impl FnOnce(io::Error) -> anyhow::Error {
    move |error| {
        let errno = error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
        SyscallError::new(format!("{call}({path:?})"), errno).into()
    }
}
