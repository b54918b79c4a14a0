//! A directory that is there whole or not at all: made beside its place under
//! another name, moved at the end.
//!
//! Not here: fsync(2). A bundle is made again in a moment, and a power cut
//! leaves no half of one under its name.

use super::failed;
use anyhow::Result;
use namespaces::SyscallError;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use std::fs;
use std::path::{Path, PathBuf};

/// The directory under its other name; dropped before [`Staging::publish`], it
/// vanishes with all in it.
pub(crate) struct Staging {
    path: PathBuf,
    target: PathBuf,
}

impl Staging {
    /// Makes an empty directory beside `target`, which must not exist.
    ///
    /// # Errors
    /// EEXIST: the target exists. EACCES, ENOENT, ENOSPC: as of mkdir(2).
    pub(crate) fn beside(target: &Path) -> Result<Self> {
        // `publish` would say the same, but only after all the work.
        if target.symlink_metadata().is_ok() {
            return Err(already_there(target));
        }
        // Only `..` and `/` have none, and one of those that does not exist is
        // below a directory that does not.
        let name = target.file_name().unwrap_or_default();
        let name = format!(".{}.{}", name.display(), std::process::id());
        let path = target.with_file_name(name);
        fs::create_dir(&path).map_err(failed("mkdir", &path))?;
        Ok(Self { path, target: target.to_owned() })
    }

    /// Where the contents go.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the directory its name, unless somebody else has taken it
    /// meanwhile.
    pub(crate) fn publish(self) -> Result<()> {
        // Without the flag (Linux 3.15, 2014-06), rename(2) would replace an
        // empty directory.
        let flags = RenameFlags::RENAME_NOREPLACE;
        match renameat2(AT_FDCWD, &self.path, AT_FDCWD, &self.target, flags) {
            Ok(()) => Ok(()),
            Err(Errno::EEXIST) => Err(already_there(&self.target)),
            Err(errno) => {
                let call =
                    format!("renameat2({:?}, {:?})", self.path, self.target);
                Err(SyscallError::new(call, errno).into())
            }
        }
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After `publish` there is nothing under this name; before it, the
        // error on its way says more than this one.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn already_there(target: &Path) -> anyhow::Error {
    SyscallError::new(format!("mkdir({target:?})"), Errno::EEXIST)
        .hint("remove it, or choose another with -o DIR")
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_appears_meanwhile_is_not_replaced() {
        let name = format!("imageless-staging-{}", std::process::id());
        let target = std::env::temp_dir().join(name);
        let staging = Staging::beside(&target).expect("/tmp is writable");
        fs::create_dir(&target).expect("nobody else knows the name");
        let error = staging.publish().expect_err("it is there").to_string();
        fs::remove_dir(&target).expect("it is still the empty one");
        assert!(error.contains("EEXIST"), "{error}");
    }
}
