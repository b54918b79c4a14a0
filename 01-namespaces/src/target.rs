//! What `isolate enter` goes into: the namespaces of a process, by its pidfd,
//! or those that the files of a directory hold.

use anyhow::{Result, bail};
use namespaces::cgroup::Membership;
use namespaces::namespace::{
    Namespace, NamespaceFile, Namespaces, different, has_ended, join_files,
    join_process,
};
use namespaces::process::pidfd_open;
use namespaces::{InCall, Result as CallResult};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, fstat, stat};
use nix::unistd::{Pid, chdir, chroot, fchdir};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Everything that is needed to go in, opened while we can still see it.
#[derive(Debug)]
pub(crate) enum Target {
    Process {
        pid: Pid,
        pidfd: OwnedFd,
        namespaces: Namespaces,
        /// Its root and working directory; `None`: ours are its own.
        directories: Option<[OwnedFd; 2]>,
    },
    Files(Vec<NamespaceFile>),
}

impl Target {
    /// Opens a process, if `name` is a number, or a directory. `asked`: only
    /// these namespaces.
    pub(crate) fn open(
        name: &OsStr,
        asked: Option<Namespaces>,
    ) -> Result<Self> {
        match name.to_str().and_then(|name| name.parse().ok()) {
            Some(..1) => bail!("{name:?} is not the number of a process"),
            Some(pid) => Self::process(Pid::from_raw(pid), asked),
            None => Self::directory(Path::new(name), asked),
        }
    }

    fn process(pid: Pid, asked: Option<Namespaces>) -> Result<Self> {
        let pidfd = pidfd_open(pid)?;
        let mut namespaces = different(pid)?;
        let directories = match asked {
            Some(asked) if !asked.contains(Namespace::Mount) => None,
            _ => Some([directory_of(pid, "root")?, directory_of(pid, "cwd")?]),
        };
        if let Some(asked) = asked {
            namespaces =
                namespaces.iter().filter(|n| asked.contains(*n)).collect();
        }
        Ok(Self::Process { pid, pidfd, namespaces, directories })
    }

    fn directory(dir: &Path, asked: Option<Namespaces>) -> Result<Self> {
        let held = |n: &Namespace| dir.join(n.file()).exists();
        let wanted = match asked {
            Some(asked) => asked,
            None => Namespace::all().filter(held).collect(),
        };
        if wanted.is_empty() {
            bail!(
                "no namespaces in {dir:?}\nhint: a pid, or a directory with \
                 files named as in /proc/PID/ns"
            );
        }
        let mut files = Vec::new();
        for namespace in wanted.iter() {
            let file = NamespaceFile::open(dir, namespace)?;
            if !file.is_ours()? {
                files.push(file);
            }
        }
        Ok(Self::Files(files))
    }

    /// Tells whether it is in another user namespace than we are.
    pub(crate) fn has_user_namespace(&self) -> bool {
        match self {
            Self::Process { namespaces, .. } => {
                namespaces.contains(Namespace::User)
            }
            Self::Files(files) => {
                files.iter().any(|file| file.namespace == Namespace::User)
            }
        }
    }

    /// Opens, for writing, the list of processes of each cgroup of the process
    /// that is not ours.
    pub(crate) fn cgroups(&self) -> Result<Vec<File>> {
        let Self::Process { pid, .. } = self else { return Ok(Vec::new()) };
        let ours = Membership::of("self")?;
        let mut files = Vec::new();
        for theirs in Membership::of(&pid.to_string())? {
            if ours.contains(&theirs) {
                continue;
            }
            files.push(open_procs(&theirs)?);
        }
        Ok(files)
    }

    /// Refuses a process that has ended: its pid, by which we have read, may be
    /// another's meanwhile. A handle cannot.
    pub(crate) fn refuse_if_ended(&self) -> Result<()> {
        match self {
            Self::Process { pid, pidfd, .. } if has_ended(pidfd.as_fd())? => {
                bail!("process {pid} has ended")
            }
            Self::Process { .. } | Self::Files(_) => Ok(()),
        }
    }

    /// Goes in, with the whole process; there is no way back.
    pub(crate) fn join(self) -> CallResult<()> {
        match self {
            Self::Files(files) => join_files(files),
            Self::Process { pidfd, namespaces, directories, .. } => {
                join_process(pidfd.as_fd(), namespaces)?;
                directories.map_or(Ok(()), change_directories)
            }
        }
    }
}

fn directory_of(pid: Pid, name: &str) -> CallResult<OwnedFd> {
    let path = format!("/proc/{pid}/{name}");
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    open(path.as_str(), flags, Mode::empty())
        .in_call(|| format!("open({path:?}, O_PATH)"))
}

fn open_procs(cgroup: &Membership) -> Result<File> {
    let hint = "hint: --no-cgroup enters without its limits";
    let Some(dir) = &cgroup.dir else {
        bail!("the cgroup {:?} is not visible here\n{hint}", cgroup.path);
    };
    let procs = dir.join("cgroup.procs");
    let file = OpenOptions::new().write(true).open(&procs);
    let file = file.in_call(|| format!("open({procs:?}, O_WRONLY)"));
    file.map_err(|error| error.hint(&hint["hint: ".len()..]).into())
}

/// Takes over root and working directory, which need not be the top of the
/// mount namespace.
fn change_directories([root, cwd]: [OwnedFd; 2]) -> CallResult<()> {
    fchdir(&root).in_call(|| "fchdir(its root)".into())?;
    match chroot(".") {
        // An ordinary user may not, and need not if it changes nothing.
        Err(Errno::EPERM) if is_root_directory(&root)? => {}
        result => result.in_call(|| r#"chroot(".")"#.into())?,
    }
    fchdir(&cwd).in_call(|| "fchdir(its working directory)".into())?;
    // A working directory outside of the root is a way out (CVE-2024-21626);
    // the kernel calls it unreachable.
    match std::env::current_dir() {
        Ok(path) if path.is_absolute() => Ok(()),
        _ => chdir("/").in_call(|| r#"chdir("/")"#.into()),
    }
}

fn is_root_directory(dir: &OwnedFd) -> CallResult<bool> {
    let ours = stat("/").in_call(|| "stat(\"/\")".into())?;
    let theirs = fstat(dir).in_call(|| "fstat(its root)".into())?;
    Ok((ours.st_dev, ours.st_ino) == (theirs.st_dev, theirs.st_ino))
}
