//! A container's id: also the name of its state directory and of its default
//! cgroup, so it must be no path.

use anyhow::{Result, bail};
use std::fmt;

/// An id that is safe as one component of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id(String);

/// Long enough for every engine; short enough for `NAME_MAX` to be the kernel's
/// problem, told by it.
const LONGEST: usize = 1024;

impl Id {
    /// Takes an id from the command line.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            bail!("container id: it is empty");
        }
        if text.len() > LONGEST {
            bail!(
                "container id: {} bytes, the longest allowed is {LONGEST}",
                text.len()
            );
        }
        if text == "." || text == ".." {
            bail!("container id {text:?}: it would be a directory of its own");
        }
        if let Some(bad) = text.chars().find(|&c| !allowed(c)) {
            bail!(
                "container id {text:?}: {bad:?} is not allowed\nhint: use \
                 A-Z a-z 0-9 _ + . -"
            );
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+.-".contains(c)
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_engines_use_are_accepted() {
        for id in ["a", "web-1", "a.b_c+d", "...", &"f".repeat(LONGEST)] {
            assert!(Id::parse(id).is_ok(), "{id}");
        }
    }

    #[test]
    fn ids_that_could_leave_the_state_directory_are_refused() {
        for id in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/",
            "a b",
            "a\n",
            "ä",
            &"f".repeat(LONGEST + 1),
        ] {
            assert!(Id::parse(id).is_err(), "{id}");
        }
    }
}
