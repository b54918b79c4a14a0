//! A path, walked as the kernel walks it: name by name, through every symbolic
//! link. The steps, and not only where they lead, are what a rootfs needs.

use anyhow::Result;
use namespaces::SyscallError;
use nix::errno::Errno;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// The kernel gives up on a path after as many symbolic links.
const MAX_LINKS: usize = 40;

/// How far the walk has come.
///
/// Source: path_resolution(7)
pub(crate) struct Walk {
    /// No symbolic link is in it, but perhaps the last name is one.
    here: PathBuf,
    /// The names still to walk, the next one last.
    ahead: Vec<OsString>,
    links: usize,
}

impl Walk {
    /// Starts at the root directory.
    pub(crate) fn to(path: &Path) -> Self {
        Self { here: "/".into(), ahead: names_reversed(path), links: 0 }
    }

    /// Goes one name on and gives the path that is reached; none at the end.
    pub(crate) fn step(&mut self) -> Option<PathBuf> {
        loop {
            match self.ahead.pop()? {
                name if name == ".." => self.here.pop(),
                name => {
                    self.here.push(name);
                    return Some(self.here.clone());
                }
            };
        }
    }

    /// Tells whether the last step was the last one, as far as is known.
    pub(crate) fn is_at_end(&self) -> bool {
        self.ahead.is_empty()
    }

    /// Goes on at the target of the symbolic link that the last step reached.
    ///
    /// # Errors
    /// ELOOP: too many links.
    pub(crate) fn follow(&mut self, target: &Path) -> Result<()> {
        self.links += 1;
        if self.links > MAX_LINKS {
            let call = format!("readlink({:?})", self.here);
            return Err(SyscallError::new(call, Errno::ELOOP).into());
        }
        if target.is_absolute() {
            self.here = "/".into();
        } else {
            self.here.pop();
        }
        self.ahead.extend(names_reversed(target));
        Ok(())
    }
}

fn names_reversed(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter(|part| {
            matches!(part, Component::Normal(_) | Component::ParentDir)
        })
        .map(|part| part.as_os_str().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(walk: &mut Walk) -> Vec<PathBuf> {
        std::iter::from_fn(|| walk.step()).collect()
    }

    #[test]
    fn the_parent_is_that_of_where_the_walk_is() {
        let mut walk = Walk::to(Path::new("/../a/b/../c"));
        let paths = steps(&mut walk);
        assert_eq!(paths, ["/a", "/a/b", "/a/c"].map(PathBuf::from));
    }

    #[test]
    fn a_link_is_followed_from_its_directory_or_from_the_root() {
        let mut walk = Walk::to(Path::new("/a/link/c"));
        walk.step();
        walk.step();
        walk.follow(Path::new("../x")).expect("it is the first link");
        assert_eq!(walk.step(), Some("/x".into()));
        walk.follow(Path::new("/y")).expect("it is the second link");
        assert_eq!(steps(&mut walk), ["/y", "/y/c"].map(PathBuf::from));
    }

    #[test]
    fn a_link_to_itself_ends_as_in_the_kernel() {
        let mut walk = Walk::to(Path::new("/loop"));
        let target = Path::new("loop");
        let followed = (0..).take_while(|_| {
            walk.step();
            walk.follow(target).is_ok()
        });
        assert_eq!(followed.count(), MAX_LINKS);
    }
}
