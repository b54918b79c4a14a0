//! Which runtime to drive if nobody says: the one place that names some.

use std::env;
use std::path::{Path, PathBuf};

/// Returns the path of `imageless` beside the running program or on `PATH`,
/// else the name `runc`.
///
/// The workspace is complete in itself: all binaries that one build put into
/// one directory find each other. Everything else is asked for by name.
pub fn default_program() -> PathBuf {
    let beside = env::current_exe().ok();
    let beside = beside.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = env::var_os("PATH").unwrap_or_default();
    let mut directories = beside.into_iter().chain(env::split_paths(&path));
    directories
        .find_map(|directory| {
            Some(directory.join("imageless")).filter(|path| path.is_file())
        })
        .unwrap_or_else(|| PathBuf::from("runc"))
}
