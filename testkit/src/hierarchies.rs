//! Hierarchies of cgroup v1 that a test brings to life. One lives as long as it
//! is mounted or has a cgroup below its root, and the kernel frees a removed
//! cgroup a moment later: a hierarchy that is unmounted in this moment stays,
//! mounted nowhere, until somebody mounts it once more.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::wait::within;

/// How long the kernel takes to free one that nothing keeps.
const MOMENT: Duration = Duration::from_secs(1);

/// How long it may take on a busy machine, tried again and again.
const GRACE: Duration = Duration::from_secs(20);

/// Ends, on drop, the hierarchies that have begun since it was made.
///
/// It must outlive whatever mounts them, and be alone on the machine: it cannot
/// tell whose they are.
#[derive(Debug)]
pub struct Hierarchies {
    before: BTreeMap<String, String>,
}

impl Hierarchies {
    /// Remembers which there are.
    ///
    /// # Panics
    /// Without /proc.
    #[expect(
        clippy::new_without_default,
        reason = "a default value that reads /proc surprises"
    )]
    pub fn new() -> Hierarchies {
        Hierarchies { before: in_use() }
    }

    /// The controllers of each that is new, as mount(8) takes them.
    fn new_ones(&self) -> Vec<String> {
        let mut new = BTreeMap::<String, Vec<String>>::new();
        for (controller, number) in in_use() {
            if !self.before.contains_key(&controller) {
                new.entry(number).or_default().push(controller);
            }
        }
        new.values().map(|controllers| controllers.join(",")).collect()
    }
}

impl Drop for Hierarchies {
    fn drop(&mut self) {
        let gone = within(GRACE, || {
            let left = self.new_ones();
            left.iter().for_each(|controllers| mount_once_more(controllers));
            within(MOMENT, || self.new_ones().is_empty().then_some(()))
        });
        if gone.is_none() && !thread::panicking() {
            panic!("it leaves hierarchies of cgroups: {:?}", self.new_ones());
        }
    }
}

/// Mounts a hierarchy where nobody else sees it, and removes what is in it.
fn mount_once_more(controllers: &str) {
    let script = "mount -t cgroup -o \"$1\" none /sys/fs/cgroup && \
        find /sys/fs/cgroup -mindepth 1 -depth -type d -exec rmdir {} +";
    // A failure means that it is in use: the next look tells.
    let _ = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh", controllers])
        .output();
}

/// Returns the controllers that a hierarchy of v1 has, and that one's number.
///
/// Source: cgroups(7), /proc/cgroups
fn in_use() -> BTreeMap<String, String> {
    let list = fs::read_to_string("/proc/cgroups").expect("/proc is mounted");
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let fields = lines.map(|line| line.split_whitespace());
    fields
        .filter_map(|mut fields| Some((fields.next()?, fields.next()?)))
        .filter(|(_, number)| *number != "0")
        .map(|(name, number)| (name.to_owned(), number.to_owned()))
        .collect()
}
