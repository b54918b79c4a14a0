//! The cgroups of the machine for tests: its part of this machine's trees. v1
//! has a tree for each controller, and the test makes a directory in each; v2
//! has one, and `isolate` makes a cgroup in it and stays outside itself: one
//! that has processes may not hand controllers on.

use super::machine::PATIENCE;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::{Need, bin, eventually};

/// Where this machine has its trees, or its only one.
const MOUNT: &str = "/sys/fs/cgroup";

/// Why an operation on what the test has made cannot fail.
const OURS: &str = "it is ours";

/// The interface that the controllers are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

impl Version {
    /// That of this machine.
    pub(crate) fn here() -> Self {
        match Path::new(MOUNT).join("cgroup.controllers").exists() {
            true => Self::V2,
            false => Self::V1,
        }
    }

    pub(crate) fn need(self) -> Need {
        match self {
            Self::V1 => Need::CgroupV1,
            Self::V2 => Need::CgroupV2,
        }
    }
}

/// The machine's part of each tree; on v2 of the only one, once it runs.
pub(crate) struct Trees {
    version: Version,
    parts: Vec<PathBuf>,
}

impl Trees {
    /// Makes what there has to be before the machine.
    pub(crate) fn make(name: &str) -> Self {
        let version = Version::here();
        let parts = match version {
            Version::V1 => make_parts(name),
            Version::V2 => Vec::new(),
        };
        Self { version, parts }
    }

    /// The command that starts a box in them; what runs in it is to be added.
    pub(crate) fn isolate(&self) -> Command {
        let isolate = bin("isolate");
        let mut command = match self.version {
            Version::V1 => {
                // The shell joins them, and then becomes isolate.
                let join = "isolate=$0; while [ \"$1\" != -- ]; do \
                            echo $$ >\"$1\"/cgroup.procs; shift; done; \
                            shift; exec \"$isolate\" \"$@\"";
                let mut sh = Command::new("sh");
                sh.args(["-c", join]).arg(isolate).args(&self.parts).arg("--");
                sh
            }
            Version::V2 => {
                let mut command = Command::new(isolate);
                // It makes a cgroup for a limit.
                command.args(["--pids", "1000"]);
                command
            }
        };
        command.args(["--pid", "--mount", "--uts", "--ipc", "--cgroup"]);
        command
    }

    /// Finds out where the machine is whose process 1 is `pid`.
    pub(crate) fn find(&mut self, pid: &str) {
        if self.version == Version::V2 {
            let file = format!("/proc/{pid}/cgroup");
            let own = fs::read_to_string(file).expect("it runs");
            let own = own.trim().trim_start_matches("0::/");
            // Where systemd puts itself.
            let own = own.trim_end_matches("/init.scope");
            self.parts = vec![Path::new(MOUNT).join(own)];
        }
    }

    /// The content of a file below the machine's part of a controller's tree.
    pub(crate) fn read(&self, tree: &str, file: &str) -> String {
        let is_wanted = |part: &&PathBuf| match self.version {
            Version::V1 => {
                part.parent().and_then(Path::file_name) == Some(tree.as_ref())
            }
            Version::V2 => true,
        };
        let part = self.parts.iter().find(is_wanted);
        let file = part.expect("the tree is there").join(file);
        fs::read_to_string(file).unwrap_or_default().trim().to_owned()
    }
}

impl Drop for Trees {
    fn drop(&mut self) {
        for part in &self.parts {
            eventually(PATIENCE, "the machine's cgroups go", || {
                remove_tree(part);
                (!part.exists()).then_some(())
            });
        }
    }
}

/// Makes a cgroup in each tree of v1, ready for processes.
fn make_parts(name: &str) -> Vec<PathBuf> {
    let trees = fs::read_dir(MOUNT).expect("Need::CgroupV1");
    let trees = trees.flatten().map(|tree| tree.path());
    // A link is another name of a tree.
    let trees = trees.filter(|tree| tree.is_dir() && !tree.is_symlink());
    let make = |tree: PathBuf| {
        let own = tree.join(name);
        fs::create_dir(&own).expect(OURS);
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let Ok(value) = fs::read_to_string(tree.join(file)) {
                fs::write(own.join(file), value).expect(OURS);
            }
        }
        own
    };
    trees.map(make).collect()
}

/// Removes what has no processes any more.
fn remove_tree(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_tree(&entry.path());
        }
    }
    // EBUSY: not yet.
    let _ = fs::remove_dir(dir);
}
