//! The directory that a test works in. Its name is a tag that is unique on the
//! machine and part of everything the test makes, so that what is left behind
//! can be found, blamed on this test alone, and removed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::leaks::{self, Leak};
use crate::wait::within;

/// How long a process that has been told to end may take to be gone before it
/// counts as left behind.
const GRACE: Duration = Duration::from_secs(2);

/// A unique temporary directory that fails its test if the test leaves anything
/// behind.
///
/// On drop it looks for mounts, cgroups, processes, pinned namespaces and
/// runtime state that carry its tag. It removes what it finds, and panics (only
/// prints, if the test is failing already). Tests in other threads and
/// processes are not disturbed: nothing is judged that does not carry the tag.
#[derive(Debug)]
pub struct Scratch {
    directory: TempDir,
    tag: String,
}

impl Scratch {
    /// Creates the directory, mode 0755, with a path short enough for sockets
    /// (`sun_path` holds 108 bytes).
    ///
    /// # Panics
    /// If the system's temporary directory is not writable.
    #[expect(
        clippy::new_without_default,
        reason = "a default value that creates a directory surprises"
    )]
    pub fn new() -> Scratch {
        let directory = tempfile::Builder::new()
            .prefix("ck-")
            .rand_bytes(8)
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .expect("the system's temporary directory is writable");
        let name = directory
            .path()
            .file_name()
            .expect("a temporary directory has a name");
        let tag = name.to_string_lossy().into_owned();
        let scratch = Scratch { directory, tag };
        fs::create_dir(scratch.state_root())
            .expect("the scratch directory is ours");
        scratch
    }

    /// Returns the directory's path.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Returns a container id that is unique on the machine: `name` and this
    /// scratch's tag.
    pub fn id(&self, name: &str) -> String {
        format!("{name}-{}", self.tag)
    }

    /// Returns the directory for a runtime's `--root`; a container still in it
    /// at the end is a leak.
    pub fn state_root(&self) -> PathBuf {
        self.path().join("state")
    }

    fn leaks(&self) -> Vec<Leak> {
        leaks::find(&self.tag, &self.state_root())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut left = Vec::new();
        let content = within(GRACE, || {
            left = self.leaks();
            left.is_empty().then_some(())
        });
        if content.is_some() {
            return;
        }
        leaks::remove(&left);
        let stuck =
            self.leaks().iter().any(|leak| matches!(leak, Leak::Mount(_)));
        // Deleting through a mount that is still there would delete files of
        // the host.
        self.directory.disable_cleanup(stuck);

        let list: Vec<_> =
            left.iter().map(|leak| format!("\n  {leak}")).collect();
        let message = format!("{} leaves behind:{}", self.tag, list.concat());
        if thread::panicking() {
            eprintln!("{message}");
        } else {
            panic!("{message}");
        }
    }
}
