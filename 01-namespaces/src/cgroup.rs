//! Cgroups: how much a group of processes may use, and a name for all of them,
//! however often they fork. Two versions of the interface are in use. What
//! differs is in `v1` and `v2`, most of it as data; callers do not see it.

mod layout;
mod limits;
mod v1;
mod v2;

use crate::error::{InCall, Result, SyscallError};
use crate::process;
use layout::Layout;
use limits::Setting;
use nix::errno::Errno;
use nix::unistd::Pid;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use layout::Version;
pub use limits::{CpuQuota, Limit, Limits};

/// How long the processes of a killed cgroup may take to be gone: long for a
/// process, short for a person who waits.
const END_LIMIT: Duration = Duration::from_secs(10);

/// Holds a cgroup: one directory on v2, one for each controller on v1.
///
/// One that was *created* is killed and removed when it is dropped, until
/// [`Cgroup::keep`] is called; an *opened* one never is.
///
/// Source: cgroups(7)
#[derive(Debug)]
pub struct Cgroup {
    version: Version,
    dirs: Vec<Dir>,
    owned: bool,
}

/// A directory of the cgroup file system, and the controller that we go there
/// for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Dir {
    controller: String,
    path: PathBuf,
}

impl Cgroup {
    /// Makes a cgroup, with those above it, in every hierarchy that we use. If
    /// one of them fails, the others are undone.
    ///
    /// An absolute path counts from where the hierarchy is mounted. A relative
    /// one counts from the caller's own cgroup on v1, so that its limits hold
    /// too; on v2 from the one above it, because there only leaves may have
    /// processes.
    ///
    /// # Errors
    /// EACCES, EROFS: no right to make cgroups there. EBUSY: it exists, with
    /// processes in it. ENOENT: no cgroups mounted.
    ///
    /// Source: cgroups(7), "Creating cgroups and moving processes"
    pub fn create(path: &Path) -> Result<Self> {
        let layout = Layout::detect()?;
        let mut cgroup =
            Self { version: layout.version, dirs: Vec::new(), owned: true };
        for dir in layout.dirs(path) {
            fs::create_dir_all(&dir.path)
                .in_call(|| format!("mkdir({:?})", dir.path))
                .map_err(hint_of_access)?;
            // From here on Drop undoes it.
            cgroup.dirs.push(dir);
        }
        cgroup.refuse_if_in_use()?;
        match cgroup.version {
            Version::V1 => {}
            Version::V2 => v2::enable_controllers(
                &layout.mounts[0].path,
                &cgroup.dirs[0].path,
            ),
        }
        Ok(cgroup)
    }

    /// Opens a cgroup that was created before. Does not look whether it is
    /// there.
    ///
    /// # Errors
    /// ENOENT: no cgroups mounted.
    pub fn open(path: &Path) -> Result<Self> {
        let layout = Layout::detect()?;
        Ok(Self {
            version: layout.version,
            dirs: layout.dirs(path),
            owned: false,
        })
    }

    /// Lets the cgroup live on when this value is dropped.
    pub fn keep(&mut self) {
        self.owned = false;
    }

    /// Tells which interface is in use.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Lists the directories.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.dirs.iter().map(|dir| dir.path.as_path())
    }

    /// Opens the directory for `CLONE_INTO_CGROUP`, see
    /// [`process::SpawnOptions`]. `None` on v1, which cannot do that: let the
    /// child wait, [`Cgroup::add`] it, then let it go on.
    ///
    /// # Errors
    /// ENOENT: removed.
    pub fn dir_fd(&self) -> Result<Option<OwnedFd>> {
        match self.version {
            Version::V1 => Ok(None),
            Version::V2 => {
                let path = &self.dirs[0].path;
                let dir = fs::File::open(path)
                    .in_call(|| format!("open({path:?}, O_DIRECTORY)"))?;
                Ok(Some(OwnedFd::from(dir)))
            }
        }
    }

    /// Moves a process, with all of its threads, into the cgroup. Children that
    /// it has already stay where they are.
    ///
    /// # Errors
    /// ESRCH: no such process. EBUSY: v2, and the cgroup has controllers
    /// enabled for its children. ENOENT: removed.
    ///
    /// Source: cgroups(7), "cgroup.procs"
    pub fn add(&self, pid: Pid) -> Result<()> {
        for dir in &self.dirs {
            write(&dir.path.join("cgroup.procs"), &pid.to_string())?;
        }
        Ok(())
    }

    /// Sets limits. What is `None` stays as it is.
    ///
    /// # Errors
    /// ENOENT: the machine or a cgroup above has not that controller (the hint
    /// names it). EINVAL: out of range.
    /// EBUSY: v1, and more memory is in use already.
    pub fn set(&self, limits: &Limits) -> Result<()> {
        self.plan(limits).into_iter().try_for_each(|setting| {
            let path = self.file(setting.controller, setting.file)?;
            write(&path, &setting.value)
                .map_err(|error| self.explain(error, setting.controller))
        })
    }

    /// Lists the files and values that [`Cgroup::set`] would write.
    fn plan(&self, limits: &Limits) -> Vec<Setting> {
        match self.version {
            Version::V1 => v1::settings(limits),
            Version::V2 => v2::settings(limits),
        }
    }

    /// Lists the processes in it and in the cgroups below it, zombies left out.
    ///
    /// # Errors
    /// ENOENT: removed.
    ///
    /// Source: cgroups(7), "cgroup.procs"
    pub fn pids(&self) -> Result<Vec<Pid>> {
        let mut pids = Vec::new();
        for dir in &self.dirs {
            collect_pids(&dir.path, &mut pids)?;
        }
        pids.sort();
        pids.dedup();
        Ok(pids)
    }

    /// Reads how much memory it uses, in bytes.
    ///
    /// # Errors
    /// ENOENT: no memory controller, or removed.
    pub fn memory_current(&self) -> Result<u64> {
        self.read_number(
            "memory",
            self.version.pick("memory.usage_in_bytes", "memory.current"),
        )
    }

    /// Reads how many processes and threads it has.
    ///
    /// # Errors
    /// ENOENT: no pids controller, or removed.
    pub fn pids_current(&self) -> Result<u64> {
        self.read_number("pids", "pids.current")
    }

    /// Reads how many processes the kernel has killed because the memory limit
    /// was reached.
    ///
    /// # Errors
    /// ENOENT: no memory controller, or removed.
    ///
    /// Source: cgroups(7); "oom_kill", "Linux 4.13 (2017-09)"
    pub fn oom_kills(&self) -> Result<u64> {
        let path = self.file(
            "memory",
            self.version.pick("memory.oom_control", "memory.events"),
        )?;
        let text = read(&path)?;
        let count =
            text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.map_or(Ok(0), |count| parse(&path, count))
    }

    /// Kills every process in it, and in the cgroups below it, also those that
    /// fork meanwhile; waits until they have ended.
    ///
    /// # Errors
    /// ETIMEDOUT: one of them is stuck in the kernel.
    ///
    /// Source: cgroup-v2.rst, "cgroup.kill", "Linux 5.14 (2021-08)"; v1:
    /// freezer-subsystem.rst
    pub fn kill(&self) -> Result<()> {
        let deadline = Instant::now() + END_LIMIT;
        loop {
            let pids = self.pids()?;
            if pids.is_empty() {
                return Ok(());
            }
            match self.version {
                Version::V1 => v1::kill(self.path_of("freezer"), &pids),
                Version::V2 => v2::kill(&self.dirs[0].path, &pids),
            }?;
            self.wait_for(&pids, deadline)?;
        }
    }

    /// Removes it and the cgroups below it, after the processes in it have
    /// ended; does not kill them. One that is gone already is no error.
    ///
    /// # Errors
    /// EBUSY: after 10 s there is still a process in it.
    ///
    /// Source: cgroups(7), "Removing cgroups"
    pub fn remove(&mut self) -> Result<()> {
        let deadline = Instant::now() + END_LIMIT;
        for dir in self.dirs.iter().rev() {
            remove_tree(&dir.path, deadline)?;
        }
        self.owned = false;
        Ok(())
    }

    /// Waits until each of these processes has ended; a handle tells, so
    /// nothing is missed and nobody sleeps.
    fn wait_for(&self, pids: &[Pid], deadline: Instant) -> Result<()> {
        for pid in pids {
            // ESRCH: it has ended already.
            let Ok(pidfd) = process::pidfd_open(*pid) else { continue };
            let left = deadline.saturating_duration_since(Instant::now());
            if !process::wait_for_end(pidfd.as_fd(), left)? {
                return Err(SyscallError::new(format!("poll([pidfd of {pid}])"), Errno::ETIMEDOUT)
                    .hint("the process was killed and does not end: `cat /proc/PID/stack` shows what it waits for"));
            }
        }
        Ok(())
    }

    fn refuse_if_in_use(&mut self) -> Result<()> {
        if self.pids()?.is_empty() {
            return Ok(());
        }
        // It is somebody else's.
        self.owned = false;
        Err(SyscallError::new(
            format!("mkdir({:?})", self.dirs[0].path),
            Errno::EBUSY,
        )
        .hint("that cgroup exists and has processes in it"))
    }

    fn path_of(&self, controller: &str) -> Option<&Path> {
        let dir = self.dirs.iter().find(|dir| {
            dir.controller == controller || self.version == Version::V2
        });
        dir.map(|dir| dir.path.as_path())
    }

    fn file(&self, controller: &str, file: &str) -> Result<PathBuf> {
        self.path_of(controller).map(|dir| dir.join(file)).ok_or_else(|| {
            SyscallError::new(format!("open({file:?})"), Errno::ENOENT)
                .hint(format!("the {controller} controller is not mounted below /sys/fs/cgroup"))
        })
    }

    fn read_number(&self, controller: &str, file: &str) -> Result<u64> {
        let path = self.file(controller, file)?;
        let text =
            read(&path).map_err(|error| self.explain(error, controller))?;
        parse(&path, text.trim())
    }

    fn explain(&self, error: SyscallError, controller: &str) -> SyscallError {
        match (error.errno, self.version) {
            (Errno::ENOENT, Version::V2) => error.hint(format!(
                "the {controller} controller is not enabled here: each cgroup above needs +{controller} in its cgroup.subtree_control, and no process of its own"
            )),
            _ => error,
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if self.owned {
            // Drop has nobody to tell. Whoever wants to know calls kill() and
            // remove().
            let _ = self.kill();
            let _ = self.remove();
        }
    }
}

fn collect_pids(dir: &Path, pids: &mut Vec<Pid>) -> Result<()> {
    let path = dir.join("cgroup.procs");
    let numbers = read(&path)?;
    pids.extend(
        numbers.lines().filter_map(|line| line.parse().ok()).map(Pid::from_raw),
    );
    children(dir)?.iter().try_for_each(|child| collect_pids(child, pids))
}

/// Lists the cgroups right below one.
fn children(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).in_call(|| format!("getdents({dir:?})"))?;
    let dirs = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    Ok(dirs.map(|entry| entry.path()).collect())
}

fn remove_tree(dir: &Path, deadline: Instant) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    children(dir)?.iter().try_for_each(|child| remove_tree(child, deadline))?;
    loop {
        match fs::remove_dir(dir) {
            // A process that has just ended leaves its cgroup a moment after
            // its handle says so, and v1 has no event for that moment. It is
            // microseconds; we give the processor away until it has passed.
            Err(error)
                if error.raw_os_error() == Some(libc::EBUSY)
                    && Instant::now() < deadline =>
            {
                std::thread::yield_now();
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(());
            }
            result => return result.in_call(|| format!("rmdir({dir:?})")),
        }
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).in_call(|| format!("read({path:?})"))
}

fn write(path: &Path, value: &str) -> Result<()> {
    // Not fs::write: its O_CREAT turns "no such file" into "permission denied"
    // on this file system.
    let file = fs::OpenOptions::new().write(true).open(path);
    let file = file.in_call(|| format!("open({path:?}, O_WRONLY)"))?;
    nix::unistd::write(&file, value.as_bytes())
        .map(drop)
        .in_call(|| format!("write({path:?}, {value:?})"))
}

fn parse(path: &Path, text: &str) -> Result<u64> {
    text.trim().parse().map_err(|_| {
        SyscallError::new(format!("read({path:?}): {text:?}"), Errno::EBADMSG)
    })
}

fn hint_of_access(error: SyscallError) -> SyscallError {
    match error.errno {
        Errno::EACCES | Errno::EPERM => error.hint(
            "an ordinary user needs a delegated cgroup, for example from `systemd-run --user --scope -p Delegate=yes`",
        ),
        Errno::EROFS => error.hint("the cgroup file system is mounted read-only here"),
        _ => error,
    }
}
