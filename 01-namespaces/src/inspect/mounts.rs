//! What a process has mounted, in the order in which it was: findmnt(8) for a
//! mount namespace that need not be ours.

use super::answer::Answer;
use super::page::{Row, Section, row};
use super::process::{Process, shown};
use namespaces::mountinfo::MountInfo;
use serde::Serialize;

#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Mounts(Answer<Vec<Mount>>);

#[derive(Debug, Serialize)]
struct Mount {
    /// Seen from the root of the process.
    target: String,
    source: String,
    /// The part of the file system that is mounted: of a bind mount, a
    /// directory.
    root: String,
    fstype: String,
    options: String,
    /// Empty if it is private.
    propagation: Vec<String>,
}

impl Mounts {
    pub(super) fn read(process: &Process) -> Self {
        let mounts = MountInfo::of(&process.name());
        let mounts =
            mounts.map(|all| all.into_iter().map(Into::into).collect());
        Self(mounts.into())
    }

    pub(super) fn section(&self) -> Section {
        let rows = match &self.0 {
            Answer::Is(mounts) => mounts.iter().map(Mount::row).collect(),
            refused @ Answer::Refused { .. } => {
                vec![row("all", refused.text(|_| String::new()))]
            }
        };
        Section { title: "mounts".into(), rows }
    }
}

impl Mount {
    fn row(&self) -> Row {
        let Self { source, root, fstype, options, propagation, .. } = self;
        let part = match root.as_str() {
            "/" => String::new(),
            part => format!("[{part}]"),
        };
        let mut words = vec![format!("{source}{part}")];
        words.extend([fstype.clone(), options.clone()]);
        words.extend(propagation.iter().cloned());
        row(&self.target, words.join(" "))
    }
}

impl From<MountInfo> for Mount {
    fn from(mount: MountInfo) -> Self {
        Self {
            target: shown(&mount.target),
            source: shown(&mount.source),
            root: shown(&mount.root),
            fstype: mount.fstype,
            options: mount.options,
            propagation: mount.propagation,
        }
    }
}
