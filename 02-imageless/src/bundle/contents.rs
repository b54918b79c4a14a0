//! What belongs into a bundle, and at which path: the programs, what their
//! headers or first lines name, and what the user adds. Nothing is copied yet;
//! the plan only reads.

use super::elf::Elf;
use super::ld_cache::LdCache;
use super::libraries;
use super::script::Script;
use anyhow::{Context, Result, anyhow, bail};
use namespaces::SyscallError;
use nix::errno::Errno;
use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Programs in these directories have a place of their own, which other files
/// may count on. Any other program (one just built, one from a home directory)
/// goes to the top of the rootfs: `target/debug/hello` becomes `/hello`.
const SYSTEM: [&str; 8] =
    ["/bin", "/sbin", "/lib", "/lib64", "/usr", "/opt", "/nix", "/gnu"];

/// A file of this machine, and its path in the container.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Placed {
    /// Absolute path on this machine.
    pub(crate) host: PathBuf,
    /// Absolute path in the container.
    pub(crate) inside: PathBuf,
}

impl Placed {
    /// A file that has the same path on both sides.
    pub(crate) fn same(path: PathBuf) -> Self {
        Self { inside: path.clone(), host: path }
    }

    /// Appends to both sides.
    pub(crate) fn join(&self, name: impl AsRef<Path>) -> Self {
        Self { host: self.host.join(&name), inside: self.inside.join(&name) }
    }

    /// Keeps a system's path and moves any other file to the top.
    fn by_location(host: PathBuf) -> Self {
        if SYSTEM.iter().any(|directory| host.starts_with(directory)) {
            return Self::same(host);
        }
        let inside = Path::new("/").join(host.file_name().unwrap_or_default());
        Self { host, inside }
    }
}

/// The plan of a rootfs.
pub(crate) struct Contents {
    /// Every file that comes along, dependencies after what needs them.
    pub(crate) files: Vec<Placed>,
    /// The part of ld.so's cache that concerns them.
    pub(crate) cache: LdCache,
    planned: HashSet<Placed>,
}

impl Contents {
    /// Plans a rootfs for programs (paths, or names on PATH) and further files
    /// or directories (`HOST[:INSIDE]`).
    ///
    /// # Errors
    /// A program that is missing, not executable or not a program; a library or
    /// a script's interpreter that is missing.
    pub(crate) fn plan(
        programs: &[PathBuf],
        copies: &[String],
    ) -> Result<Self> {
        let cache = LdCache::load()?;
        let mut contents =
            Self { files: Vec::new(), cache, planned: HashSet::new() };
        for program in programs {
            contents.add_program(Placed::by_location(locate(program)?))?;
        }
        for copy in copies {
            contents.add_copy(parse_copy(copy)?)?;
        }
        let Self { files, cache, .. } = &mut contents;
        cache.retain(|path| files.iter().any(|file| file.inside == path));
        Ok(contents)
    }

    // ANCHOR: add_program
    fn add_program(&mut self, program: Placed) -> Result<()> {
        let name = program.host.display().to_string();
        executable(&program.host)?;
        let bytes = super::read(&program.host)?;
        if let Some(script) = Script::parse(&bytes) {
            if self.add(program) {
                self.add_interpreters(&script)
                    .with_context(|| format!("{name}: #! line"))?;
            }
        } else if Elf::is_magic(&bytes) {
            self.add_elf(program)?;
        } else {
            let hint =
                "it is neither an ELF file nor a script that begins with #!";
            return Err(no_program(&program.host, Errno::ENOEXEC, hint));
        }
        Ok(())
    }
    // ANCHOR_END: add_program

    fn add_interpreters(&mut self, script: &Script) -> Result<()> {
        if !script.interpreter.is_absolute() {
            bail!("{} is not an absolute path", script.interpreter.display());
        }
        self.add_program(Placed::same(script.interpreter.clone()))?;
        match script.program_for_env() {
            Some(name) => {
                self.add_program(Placed::same(locate(Path::new(name))?))
            }
            None => Ok(()),
        }
    }

    fn add_elf(&mut self, file: Placed) -> Result<()> {
        if !self.add(file.clone()) {
            return Ok(());
        }
        for library in libraries::closure(&file, &self.cache)? {
            self.add(library);
        }
        Ok(())
    }

    /// Adds a file as it is, or a directory with all that is in it; libraries
    /// among it bring theirs.
    fn add_copy(&mut self, copy: Placed) -> Result<()> {
        // A link to a directory is no directory here: it may lead back.
        let metadata = copy.host.symlink_metadata();
        if metadata.map_err(super::failed("lstat", &copy.host))?.is_dir() {
            let names = names_in(&copy.host)
                .map_err(super::failed("readdir", &copy.host))?;
            self.add(copy.clone());
            return names
                .iter()
                .try_for_each(|name| self.add_copy(copy.join(name)));
        }
        let is_loadable = copy.host.is_file()
            && Elf::parse(&super::read(&copy.host)?).is_ok();
        if is_loadable {
            return self.add_elf(copy);
        }
        self.add(copy);
        Ok(())
    }

    /// Tells whether the file is new to the plan.
    fn add(&mut self, file: Placed) -> bool {
        let is_new = self.planned.insert(file.clone());
        if is_new {
            self.files.push(file);
        }
        is_new
    }
}

/// Lists a directory in an order that does not depend on the file system.
fn names_in(directory: &Path) -> io::Result<Vec<OsString>> {
    let names =
        std::fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// Finds a program as execvp(3) does: a name without a slash is looked up on
/// PATH.
fn locate(program: &Path) -> Result<PathBuf> {
    if program.as_os_str().as_encoded_bytes().contains(&b'/') {
        return std::path::absolute(program)
            .map_err(super::failed("getcwd", program));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(program))
        .find(|candidate| executable(candidate).is_ok());
    found.ok_or_else(|| {
        let name = program.display();
        let hint = if program.exists() {
            format!("\nhint: ./{name} is one")
        } else {
            String::new()
        };
        anyhow!("{name}: no program of that name on PATH{hint}")
    })
}

fn executable(path: &Path) -> Result<()> {
    let metadata = path.metadata().map_err(super::failed("stat", path))?;
    if metadata.is_dir() {
        let hint = "it is a directory; --copy puts one in";
        return Err(no_program(path, Errno::EACCES, hint));
    }
    if !metadata.is_file() {
        return Err(no_program(
            path,
            Errno::EACCES,
            "it is not a regular file",
        ));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        let hint = format!("chmod +x {}", path.display());
        return Err(no_program(path, Errno::EACCES, &hint));
    }
    Ok(())
}

/// Says in advance what the kernel would say in the container.
fn no_program(path: &Path, errno: Errno, hint: &str) -> anyhow::Error {
    SyscallError::new(format!("execve({path:?})"), errno).hint(hint).into()
}

fn parse_copy(text: &str) -> Result<Placed> {
    let (host, inside) =
        text.split_once(':').map_or((text, None), |(h, i)| (h, Some(i)));
    let absolute = std::path::absolute(host)
        .map_err(super::failed("getcwd", Path::new(host)))?;
    match inside.map(Path::new) {
        None => Ok(Placed::by_location(absolute)),
        Some(inside) if inside.is_absolute() => {
            Ok(Placed { host: absolute, inside: inside.into() })
        }
        Some(_) => bail!(
            "--copy {text}: the path in the container has to begin with /"
        ),
    }
}
