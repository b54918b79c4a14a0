//! Where the programs run, and what their containers leave there: a directory
//! and a mount namespace of this run's own. What is left is found by the kernel's
//! record, told, and removed.

use crate::demo::leftover::{self, Leftover};
use anyhow::{Context, Result, bail};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The programs' relative cgroup path, of which runc keeps the directories.
const SHARED_CGROUP: &str = "/testdir";

/// The directory of one run. Not under `target`: containers with ids of their
/// own have to come here, and a home may be closed to them.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it. To be called before there are threads: they, too, are to be in
    /// the mount namespace.
    ///
    /// # Errors
    /// EPERM: not root.
    pub(super) fn new() -> Result<Self> {
        own_mount_namespace()?;
        let name = format!("conman-conformance-{}", std::process::id());
        let dir = env::temp_dir().join(name);
        fs::create_dir(&dir).with_context(|| dir.display().to_string())?;
        Ok(Self(dir))
    }

    /// The part for one runtime.
    pub(super) fn of(&self, runtime: &str) -> PathBuf {
        self.0.join(runtime)
    }

    /// The reference may leave what it likes.
    ///
    /// # Errors
    /// What it has left cannot be removed.
    pub(super) fn tell_what_is_left_by(&self, runtime: &str) -> Result<()> {
        let mut tags = self.tags(runtime)?;
        tags.push(SHARED_CGROUP.to_owned());
        let left = take_away(&tags)?;
        if !left.is_empty() {
            println!("    {runtime} has left behind {}", counted(&left));
        }
        Ok(())
    }

    /// Ours may leave nothing.
    ///
    /// # Errors
    /// It has.
    pub(super) fn demand_nothing_left_by(&self, runtime: &str) -> Result<()> {
        let left = take_away(&self.tags(runtime)?)?;
        if left.is_empty() {
            return Ok(());
        }
        let left: Vec<_> = left.iter().map(ToString::to_string).collect();
        bail!("{runtime} has left behind:\n  {}", left.join("\n  "));
    }

    /// The words by which its things are known: the name of its directory, and
    /// its containers' ids, which are UUIDs if they are any.
    fn tags(&self, runtime: &str) -> Result<Vec<String>> {
        const UUID: usize = 36;
        let dir = self.of(runtime);
        let mut tags = vec![dir.display().to_string()];
        // Not there if no program was to run.
        for program in fs::read_dir(&dir).into_iter().flatten() {
            let file = program.context("read scratch")?.path().join("ids");
            // Not there if it has made no container.
            let ids = fs::read_to_string(file).unwrap_or_default();
            let ids = ids.lines().filter(|id| id.len() == UUID);
            tags.extend(ids.map(str::to_owned));
        }
        Ok(tags)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // With a mount left in it, emptying it would empty what is mounted.
        if leftover::remove_all(&[self.0.display().to_string()]).is_ok() {
            // Err: files stay in the directory for temporary ones.
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// A runtime that makes a container without a mount namespace mounts its file
/// systems where it is itself. That shall not be the machine's.
fn own_mount_namespace() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("unshare(CLONE_NEWNS)")?;
    let none: Option<&Path> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .context("mount(\"/\", MS_REC | MS_PRIVATE)")
}

fn take_away(tags: &[String]) -> Result<Vec<Leftover>> {
    let left = leftover::settled(tags);
    leftover::remove_all(tags)?;
    Ok(left)
}

fn counted(left: &[Leftover]) -> String {
    let [mut processes, mut mounts, mut cgroups] = [0; 3];
    for leftover in left {
        match leftover {
            Leftover::Process(..) => processes += 1,
            Leftover::Mount(_) => mounts += 1,
            Leftover::Cgroup(_) => cgroups += 1,
        }
    }
    format!("{processes} processes, {mounts} mounts, {cgroups} cgroups")
}
