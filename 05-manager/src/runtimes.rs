//! Which OCI runtimes there are, by the names that CRI calls runtime handlers.
//! The manager has no runtime built in: `imageless` is only the default name,
//! looked up like the others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The handlers that need no `--runtime NAME=PATH`: known by name where they
/// are found. The first is the default.
const KNOWN: [&str; 3] = ["imageless", "runc", "crun"];

/// A runtime that a sandbox was given; its containers keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handler {
    /// The handler's name, or its absolute path.
    pub name: String,
    /// The program.
    pub program: PathBuf,
}

/// The handlers of this daemon.
#[derive(Debug)]
pub struct Runtimes {
    programs: BTreeMap<String, PathBuf>,
    default: String,
}

impl Runtimes {
    /// Looks the known runtimes up and adds `named` ones, which win.
    ///
    /// # Errors
    /// [`Error::Invalid`]: a named program is missing, or the default is none
    /// of them.
    pub fn find(
        named: &[(String, PathBuf)],
        default: Option<&str>,
    ) -> Result<Self> {
        let mut programs: BTreeMap<_, _> = KNOWN
            .iter()
            .filter_map(|name| Some((name.to_string(), look_up(name)?)))
            .collect();
        for (name, path) in named {
            let program = look_up_path(path).ok_or_else(|| {
                Error::Invalid(format!(
                    "--runtime {name}={}: no such program",
                    path.display()
                ))
            })?;
            programs.insert(name.clone(), program);
        }
        let default = default.unwrap_or(KNOWN[0]).to_owned();
        let runtimes = Self { programs, default };
        if runtimes.default != KNOWN[0] {
            // Asked for by name, so it has to be there now; ours may be built
            // later.
            runtimes.resolve("")?;
        }
        Ok(runtimes)
    }

    /// Returns the runtime for a CRI `runtime_handler`: empty for the default,
    /// a name, or an absolute path.
    ///
    /// # Errors
    /// [`Error::Invalid`]: there is no such handler; the message lists those
    /// that there are.
    pub fn resolve(&self, handler: &str) -> Result<Handler> {
        let name = if handler.is_empty() { &self.default } else { handler };
        let program = match self.programs.get(name) {
            Some(program) => Some(program.clone()),
            None if name.starts_with('/') => look_up_path(Path::new(name)),
            None => None,
        };
        let known = || self.names().collect::<Vec<_>>().join(", ");
        let program = program.ok_or_else(|| {
            Error::Invalid(format!(
                "runtime handler {name:?}: no such runtime\n\
                 hint: known here: {}; or give an absolute path",
                known()
            ))
        })?;
        Ok(Handler { name: name.to_owned(), program })
    }

    /// Lists the handlers' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.programs.keys().map(String::as_str)
    }
}

/// Finds a program of ours or of the system: beside our own executable, else on
/// `PATH`.
#[must_use]
pub fn look_up(name: &str) -> Option<PathBuf> {
    let own = std::env::current_exe().ok();
    let beside = own.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    beside
        .into_iter()
        .chain(std::env::split_paths(&path))
        .filter(|dir| dir.is_absolute())
        .find_map(|dir| look_up_path(&dir.join(name)))
}

/// Takes a path, or a bare name to look up on `PATH`; `None` unless it is an
/// executable file.
#[must_use]
pub fn look_up_path(path: &Path) -> Option<PathBuf> {
    if path.components().count() == 1 {
        return look_up(path.to_str()?);
    }
    let executable = access(path, AccessFlags::X_OK).is_ok() && path.is_file();
    executable.then(|| std::path::absolute(path).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtimes() -> Runtimes {
        let named = [("shell".to_owned(), PathBuf::from("/bin/sh"))];
        Runtimes::find(&named, Some("shell"))
            .expect("every machine has /bin/sh")
    }

    #[test]
    fn a_handler_is_a_name_or_an_absolute_path_and_empty_is_the_default() {
        let sh = PathBuf::from("/bin/sh");
        for handler in ["", "shell", "/bin/sh"] {
            assert_eq!(
                runtimes().resolve(handler).unwrap().program,
                sh,
                "{handler:?}"
            );
        }
    }

    #[test]
    fn an_unknown_handler_is_refused_with_the_list_of_known_ones() {
        for handler in ["kata", "sh", "../bin/sh", "/etc/passwd", "/nowhere"] {
            let error = runtimes().resolve(handler).unwrap_err().to_string();
            assert!(error.contains(&format!("{handler:?}")), "{error}");
            assert!(error.contains("shell"), "{error}");
        }
    }

    #[test]
    fn a_named_runtime_that_is_missing_is_refused_at_start() {
        let named = [("mine".to_owned(), PathBuf::from("/nowhere"))];
        let error = Runtimes::find(&named, None).unwrap_err().to_string();
        assert_eq!(error, "--runtime mine=/nowhere: no such program");
    }
}
